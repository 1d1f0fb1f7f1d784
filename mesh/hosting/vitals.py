"""What of a service's own has failed: the only place that turns its readiness red while it runs.

A store, a provider or another service never stands here. They are shared: with every replica red at once nobody would
answer at all, where each could still answer from what it has.
"""

from collections.abc import Callable


class Vitals:
    """The parts that a service can't do without, such as a loop of its own, and which of them have failed."""

    def __init__(self) -> None:
        self._failed: dict[str, None] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def failed(self) -> tuple[str, ...]:
        """The parts that have failed, the first first; empty while all is well."""
        return tuple(self._failed)

    def fail(self, part: str) -> None:
        """Notes that a part has failed."""
        self._move(part, failed=True)

    def recover(self, part: str) -> None:
        """Notes that a part works again."""
        self._move(part, failed=False)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls back whenever a part fails or recovers."""
        self._listeners.append(listener)

    def _move(self, part: str, *, failed: bool) -> None:
        if failed is (part in self._failed):
            return
        if failed:
            self._failed[part] = None
        else:
            del self._failed[part]
        for listener in self._listeners:
            listener()
