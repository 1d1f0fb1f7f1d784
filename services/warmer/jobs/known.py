"""What became of each of a million searches, held in little: the only place that packs it. Pure.

A hash stands for the text of a search, and a number for all outcomes that are alike: twelve bytes a search.
"""

from array import array
from bisect import bisect_right

from services.warmer.jobs.outcome import Settled
from services.warmer.plan.searches import Search

_PARTS = 256
"""Parts by the last byte of the hash; each is sorted by itself, so that sorting takes little beside them."""

_HASHES = 2**64


class Known:
    """Searches, and what became of each; first all are added, then they are looked for."""

    def __init__(self) -> None:
        self._hashes = [array("Q") for _ in range(_PARTS)]
        self._outcomes = [array("I") for _ in range(_PARTS)]
        """At the same places, the numbers of the outcomes."""
        self._numbers: dict[Settled | None, int] = {}
        self._kinds: list[Settled | None] = []
        """The different outcomes, by their numbers."""

    def add(self, search: Search, settled: Settled | None) -> None:
        """Notes a search; of one that comes twice the last counts."""
        number = self._numbers.setdefault(settled, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(settled)
        hashed = _hash(search)
        part = hashed % _PARTS
        self._hashes[part].append(hashed)
        self._outcomes[part].append(number)

    def seal(self) -> None:
        """Puts all in order, after which they can be looked for."""
        for part, hashes in enumerate(self._hashes):
            order = sorted(range(len(hashes)), key=hashes.__getitem__)
            outcomes = self._outcomes[part]
            self._hashes[part] = array("Q", map(hashes.__getitem__, order))
            self._outcomes[part] = array("I", map(outcomes.__getitem__, order))

    def look(self, search: Search) -> Settled | None:
        """What became of a search; None while nothing has.

        Raises:
            KeyError: it was not added.
        """
        hashed = _hash(search)
        hashes = self._hashes[hashed % _PARTS]
        place = bisect_right(hashes, hashed) - 1
        if place < 0 or hashes[place] != hashed:
            raise KeyError(search.key)
        return self._kinds[self._outcomes[hashed % _PARTS][place]]


def _hash(search: Search) -> int:
    """Tells two searches from one another but once in a hundred thousand libraries of a million rows."""
    return hash((search.kind, search.key)) % _HASHES
