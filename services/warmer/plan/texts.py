"""Holds millions of texts, and different names, in little more memory than their letters take. Pure.

A list of strings takes some sixty bytes more for each, and a dict of them a hundred more again.
"""

from array import array

from mesh.hash_table import HashTable
from services.warmer.plan.searches import folded

_RECENT = 4_000
"""Spellings whose places are remembered at a time, for looking for one costs more than knowing it."""


class Texts:
    """Texts, one after the other."""

    __slots__ = ("_ends", "_letters")

    def __init__(self) -> None:
        self._letters = bytearray()
        self._ends = array("Q", [0])
        """Where each text ends and the next one begins; the first begins at zero."""

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: int) -> str:
        return self._letters[self._ends[at] : self._ends[at + 1]].decode("utf-8", "surrogatepass")

    def append(self, text: str) -> None:
        """Takes a text; what is no letter of UTF-8 comes out as it went in."""
        self._letters += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._letters))


class Names:
    """Different names, in the order in which they came; letters of another case and other blanks make no difference."""

    __slots__ = ("_places", "_recent", "_spellings")

    def __init__(self) -> None:
        self._spellings = Texts()
        """Each name as it came first."""
        self._places = HashTable()
        """Where names lie, counted from one, by the hashes of what they are compared by."""
        self._recent: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._spellings)

    def __getitem__(self, place: int) -> str:
        return self._spellings[place]

    def place_of(self, name: str) -> int:
        """Where a name lies, from now on."""
        place = self._recent.get(name)
        if place is None:
            key, behind = folded(name), len(self) + 1
            place = self._places.setdefault(hash(key), behind) - 1
            if place + 1 == behind or not self._is_at(place, key):
                # Of two names with one hash the second lies at a place of its own each time that it comes.
                place = len(self)
                self._spellings.append(name)
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[name] = place
        return place

    def find(self, name: str) -> int | None:
        """Where a name lies; None when it never came."""
        if (place := self._recent.get(name)) is not None:
            return place
        key = folded(name)
        place = self._places.get(hash(key)) - 1
        return place if place >= 0 and self._is_at(place, key) else None

    def _is_at(self, place: int, key: str) -> bool:
        return folded(self[place]) == key
