"""The only place that knows which answers this process is making many at once, so that nobody asks for one beside."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from services.books.walking import Held


class Promises:
    """Answers that are promised under their keys, each until it is made or known not to come."""

    def __init__(self) -> None:
        self._promised: dict[str, asyncio.Future[Held]] = {}

    def __contains__(self, key: str) -> bool:
        """Whether an answer is promised."""
        return key in self._promised

    @contextmanager
    def made(self, keys: Collection[str]) -> Iterator[None]:
        """Promises the answers of some keys while the block makes them; what it did not keep does not come."""
        loop = asyncio.get_running_loop()
        mine = {key: loop.create_future() for key in keys if key not in self._promised}
        self._promised |= mine
        try:
            yield
        finally:
            for key, promise in mine.items():
                if self._promised.get(key) is promise:
                    del self._promised[key]
                promise.cancel()

    def keep(self, answers: Mapping[str, Held]) -> None:
        """Gives answers to those who wait for them."""
        for key, held in answers.items():
            promise = self._promised.pop(key, None)
            if promise is not None:
                promise.set_result(held)

    def drop(self, key: str) -> None:
        """Tells those who wait that an answer does not come."""
        promise = self._promised.pop(key, None)
        if promise is not None:
            promise.cancel()

    async def wait(self, key: str, *, limit_s: float | None = None) -> Held | None:
        """The promised answer of a key; None where it does not come, or not in so many seconds."""
        promise = self._promised.get(key)
        if promise is None:
            return None
        await asyncio.wait({promise}, timeout=limit_s)
        return promise.result() if promise.done() and not promise.cancelled() else None
