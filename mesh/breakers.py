"""The circuit breakers of one calling service by name, so that an operator can see and move them."""

from collections.abc import Iterable

from mesh.breaker import Breaker


class Breakers:
    """The breakers of one calling service, by "BINDING/Method"."""

    def __init__(self) -> None:
        self._all: dict[str, Breaker] = {}

    def add(self, binding: str, method: str, breaker: Breaker) -> None:
        """Makes a breaker known under its name."""
        self._all[f"{binding}/{method}"] = breaker

    def items(self) -> Iterable[tuple[str, Breaker]]:
        """Names and breakers, by name."""
        return sorted(self._all.items())

    def matching(self, name: str) -> dict[str, Breaker]:
        """The breakers that a name fits: "BINDING/Method", or "BINDING/*" for all of a binding."""
        if name.endswith("/*"):
            return {key: found for key, found in self._all.items() if key.startswith(name[:-1])}
        return {name: self._all[name]} if name in self._all else {}
