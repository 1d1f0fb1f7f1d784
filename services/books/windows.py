"""The only place that says what an answer is worth at a given age, and for how long it is kept where. Pure.

Fresh, stale-while-revalidate and stale-if-error are words of RFC 5861. That a refresh begins by chance before an answer
is old, the earlier the longer the providers took, is XFetch: A. Vattani, F. Chierichetti, K. Lowenstein,
"Optimal Probabilistic Cache Stampede Prevention", VLDB 8(8), 2015.
"""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

from services.books.entry import Entry

Chance = Callable[[], float]
"""A number from 0 to 1, 1 left out, each time another."""

JITTER = 0.1
"""The share of a time to live that chance may take away, so that what was cached together does not end together."""

_BETA = 1.0
"""XFetch's weight: above 1 refreshes begin earlier. One is what the paper shows to be best."""

_EARLIEST = 40.0
"""Times the providers' time before which no refresh begins: chance would have it once in 10 to the 17th."""


class Worth(enum.Enum):
    """What an answer is worth."""

    FRESH = "fresh"
    """It is the answer."""
    DUE = "due"
    """It is the answer, and chance has it that this caller begins to refresh it."""
    STALE = "stale"
    """Its time is over, but it may be given while it is refreshed."""
    LAST_RESORT = "last resort"
    """It is better than none while the providers fail."""
    NOTHING = "nothing"
    """It is too old for anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long an answer is worth what, in seconds."""

    fresh_s: float
    """A whole answer with something in it is fresh."""
    negative_s: float
    """"Nothing found" is believed: shorter, for a book that was just added is looked for at once."""
    warmed_negative_s: float
    """The same for work that nobody waits for, which found it and comes back to it: until its next round."""
    partial_s: float
    """An answer to which a provider gave nothing counts: soon it may be whole."""
    revalidate_s: float
    """Past its time, an answer is given while it is refreshed."""
    error_s: float
    """Past its time, an answer is given where the providers fail."""

    def fresh_until(
        self, now: float, *, is_empty: bool, is_partial: bool, chance: Chance, patient: bool = False
    ) -> float:
        """Until when an answer that is made now counts as fresh; `patient` where nobody waits for it."""
        negative_s = self.warmed_negative_s if patient else self.negative_s
        shorter_s = [seconds for applies, seconds in ((is_partial, self.partial_s), (is_empty, negative_s)) if applies]
        return now + jittered(min([self.fresh_s, *shorter_s]), chance)

    def is_believed(self, entry: Entry, now: float) -> bool:
        """Whether a person believes an entry while it is fresh: "nothing found" is as short-lived whoever found it."""
        return bool(entry.ends) or now < entry.cache_time + self.negative_s

    def is_surely_fresh(self, entry: Entry, now: float) -> bool:
        """Whether an entry is fresh, and no chance has its refresh begin yet."""
        return entry.fresh_until - now > entry.fetch_s * _EARLIEST

    def worth(self, entry: Entry, now: float, chance: Chance) -> Worth:
        """What an entry is worth."""
        left_s = entry.fresh_until - now
        if left_s > 0:
            if not self.is_surely_fresh(entry, now) and left_s <= -entry.fetch_s * _BETA * math.log(1.0 - chance()):
                return Worth.DUE
            return Worth.FRESH
        # What is partial or empty is given past its time only where nobody can say better.
        if left_s > -self.revalidate_s and entry.ends and not entry.partial:
            return Worth.STALE
        return Worth.LAST_RESORT if left_s > -self.error_s else Worth.NOTHING

    @property
    def longest_s(self) -> float:
        """Seconds that an answer can live at most."""
        return self.fresh_s + max(self.revalidate_s, self.error_s)

    def last_use(self, entry: Entry) -> float:
        """When an entry is worth nothing any more, in seconds since the epoch."""
        return entry.fresh_until + max(self.revalidate_s, self.error_s)


def jittered(seconds: float, chance: Chance) -> float:
    """A time to live that chance has shortened by up to a tenth."""
    return seconds * (1.0 - JITTER * chance())
