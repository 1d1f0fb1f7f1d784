"""What became of a search, of a batch and of all of them: the only place that counts. Pure."""

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Self

import msgspec


class Outcome(enum.Enum):
    """What became of a search, in the report's word; nothing else can become of one."""

    FRESH = "fresh"
    """The proxy had an answer already."""
    WARMED = "warmed"
    """The providers gave an answer, and the proxy keeps it."""
    NOT_FOUND = "not_found"
    """The providers have nothing; the proxy keeps that, too."""
    FAILED = "failed"
    """It can't be asked for as it stands."""
    PARKED = "parked"
    """It was tried as often as makes sense, and waits for another job."""


_LETTERS = dict(zip(Outcome, "FWNXP", strict=True))
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}
_PENDING = "."


@dataclass(frozen=True, slots=True)
class Settled:
    """A search that is done with."""

    outcome: Outcome
    """What became of it."""
    reason: str = ""
    """A word of ErrorReason, for one that failed or was parked."""
    hint: str = ""
    """A sentence for people, beside the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many searches are settled, and what it took."""

    fresh: int = 0
    warmed: int = 0
    not_found: int = 0
    failed: int = 0
    parked: int = 0
    calls: int = 0
    """Calls to providers."""
    retries: int = 0
    """Searches tried again."""

    @property
    def settled(self) -> int:
        """Searches that are done with."""
        return self.fresh + self.warmed + self.not_found + self.failed + self.parked

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            fresh=self.fresh + other.fresh,
            warmed=self.warmed + other.warmed,
            not_found=self.not_found + other.not_found,
            failed=self.failed + other.failed,
            parked=self.parked + other.parked,
            calls=self.calls + other.calls,
            retries=self.retries + other.retries,
        )

    def counts(self) -> tuple[int, ...]:
        """Its numbers in the order of TALLIED."""
        return tuple(getattr(self, name) for name in TALLIED)


TALLIED = tuple(each.name for each in dataclasses.fields(Tally))
"""What is counted, in the order in which it is stored."""


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch as it is written: one letter for each search, and why for those that failed."""

    outcomes: str
    calls: int
    retries: int
    why: dict[int, tuple[str, str]]


_decoder = msgspec.json.Decoder(_Stored)


@dataclass(slots=True, eq=False)
class BatchRecord:
    """The outcomes of one batch. It is written whole, so whatever dies when, each search of it counts once.

    Args:
        size: searches in the batch.
    """

    size: int
    calls: int = 0
    """Calls to providers that it took."""
    retries: int = 0
    """Searches of it that were tried again."""
    _settled: dict[int, Settled] = field(default_factory=dict)

    def settle(self, place: int, settled: Settled) -> bool:
        """Notes what became of a search; False when that was known already, and then nothing changes.

        Raises:
            IndexError: the batch has no such place.
        """
        if not 0 <= place < self.size:
            raise IndexError(place)
        return self._settled.setdefault(place, settled) is settled

    def get(self, place: int) -> Settled | None:
        """What became of a search; None while nothing has."""
        return self._settled.get(place)

    def pending(self) -> list[int]:
        """The places of searches that are not settled, in order."""
        return [place for place in range(self.size) if place not in self._settled]

    def tally(self) -> Tally:
        """Its counts."""
        counts = dict.fromkeys(Outcome, 0)
        for settled in self._settled.values():
            counts[settled.outcome] += 1
        return Tally(
            **{outcome.value: count for outcome, count in counts.items()}, calls=self.calls, retries=self.retries
        )

    def encode(self) -> bytes:
        """The record as it is stored: JSON, so that a person can read it, too."""
        places = range(self.size)
        letters = [_LETTERS[self._settled[at].outcome] if at in self._settled else _PENDING for at in places]
        why = {at: (settled.reason, settled.hint) for at, settled in self._settled.items() if settled.reason}
        return msgspec.json.encode(_Stored("".join(letters), self.calls, self.retries, why))

    @classmethod
    def decode(cls, data: bytes, size: int) -> Self | None:
        """The record that was stored; None for what is none, so that the batch is run anew."""
        try:
            stored = _decoder.decode(data)
        except msgspec.MsgspecError:
            return None
        if len(stored.outcomes) != size:
            return None
        record = cls(size, stored.calls, stored.retries)
        for place, letter in enumerate(stored.outcomes):
            if letter in _OUTCOMES:
                record.settle(place, Settled(_OUTCOMES[letter], *stored.why.get(place, ("", ""))))
        return record
