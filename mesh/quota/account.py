"""Account: the only place that says what a provider allows one key, and by what name that key goes where it is counted.

A key is known by a fingerprint, so that one key under two names is one account, and nobody who reads a count can call
with it.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh.secrets import Secret

_PERSON = b"bookmesh quota"
"""Sets these fingerprints apart from all others of the same key (BLAKE2's personalization, RFC 7693)."""

_FINGERPRINT_BYTES = 8
"""Long enough that no two keys of a house meet, too short to be of use for anything else."""

_KEYLESS = "keyless"


class Day(NamedTuple):
    """A day of a provider's, in seconds since the epoch."""

    begins_at: float
    """Its first moment."""
    reset_at: float
    """When it is over and the count begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a provider allows one key.

    Raises:
        ValueError: a figure makes no sense, or nobody knows the zone.
    """

    provider: str
    """The provider's name in errors and counts."""
    name: str
    """The provider's name for people: "ISBNdb"."""
    key: Secret | None
    """The key; None where the provider asks for none."""
    calls_per_second: float
    """Calls that may begin in a second; 0 is no limit."""
    burst: int = 1
    """Calls that may begin at once after a pause."""
    calls_per_day: int
    """Calls that may begin in a day; 0 is no limit."""
    live_reserve: float = 0.1
    """The share of the day's calls that batch work leaves to people, 0 to 1."""
    zone: str = "UTC"
    """The IANA time zone at whose midnight the provider's day begins."""

    def __post_init__(self) -> None:
        """Refuses what nothing could be counted by."""
        if not 0 <= self.calls_per_second < float("inf") or self.calls_per_day < 0 or self.burst < 1:
            raise ValueError(f"the limits of {self.provider} must be 0 or more, and its burst 1 or more")
        if not 0 <= self.live_reserve <= 1:
            raise ValueError(f"the live reserve of {self.provider} must be 0 to 1, not {self.live_reserve}")
        try:
            self._tzinfo()
        except ZoneInfoNotFoundError:
            raise ValueError(f"the time zone of {self.provider} is {self.zone!r}, which nobody knows") from None

    @property
    def id(self) -> str:
        """What the account is counted by, the same wherever the key is used; tells nothing of the key."""
        if self.key is None:
            return f"{self.provider}:{_KEYLESS}"
        key = self.key.reveal().strip().encode()
        digest = hashlib.blake2b(key, digest_size=_FINGERPRINT_BYTES, person=_PERSON)
        return f"{self.provider}:{digest.hexdigest()}"

    @property
    def interval_s(self) -> float:
        """Seconds from one call to the next when many wait."""
        return 1 / self.calls_per_second if self.calls_per_second else 0.0

    @property
    def tolerance_s(self) -> float:
        """Seconds that a call may be ahead of the steady pace, which is what makes a burst."""
        return (self.burst - 1) * self.interval_s

    @property
    def reserve(self) -> int:
        """Calls of each day that batch work leaves to people."""
        return round(self.calls_per_day * self.live_reserve)

    def allows(self, *, batch: bool) -> int | None:
        """Calls that a day holds for one class of work; None when it has no limit."""
        if not self.calls_per_day:
            return None
        return self.calls_per_day - self.reserve if batch else self.calls_per_day

    def day(self, now: float) -> Day:
        """The provider's day at a moment in seconds since the epoch; one with a change of clocks has 23 or 25 hours."""
        zone = self._tzinfo()
        date = datetime.fromtimestamp(now, zone).date()
        begins = datetime.combine(date, time.min, zone)
        ends = datetime.combine(date + timedelta(days=1), time.min, zone)
        return Day(begins.timestamp(), ends.timestamp())

    def _tzinfo(self) -> tzinfo:
        # UTC needs no table of zones, which small machines may be without.
        return UTC if self.zone == "UTC" else ZoneInfo(self.zone)
