"""What is claimed of a fault, and what was measured: the words and the judgement that tests and the table share."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from tests.chaos.load import Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One promise, held against what was seen."""

    what: str
    """Which calls, or what of them."""
    claimed: str
    measured: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a scenario is run."""

    fault_s: float
    """Seconds that a fault lasts, unless it must last longer to show."""
    slack: float
    """By what every time bound is multiplied, for machines that do other things beside."""
    share: float
    """Of the answers, those that come from where all should: a store that is slow for a moment is passed over."""


SHORT = Size(fault_s=0.8, slack=12.0, share=0.9)
LONG = Size(fault_s=5.0, slack=1.0, share=0.99)


_SHARES = {"p50": 0.5, "p99": 0.99, "all": 1.0}


def none_fails(what: str, calls: Calls) -> Claim:
    """Every call is answered."""
    failed = calls.failed
    told = f"{len(failed)} of {len(calls)} failed" + (f": {_told(failed)}" if len(failed) else "")
    return Claim(what=what, claimed="none fails", measured=told, holds=len(calls) > 0 and len(failed) == 0)


def fail_only(what: str, calls: Calls, outcomes: Collection[str]) -> Claim:
    """Some fail, and only so: each outcome is "CODE" or "CODE REASON"; the reason may be one of several."""
    failed = calls.failed
    wrong = [name for name in failed.outcomes() if not any(_fits(name, allowed) for allowed in outcomes)]
    return Claim(
        what=what,
        claimed=f"fail with {' or '.join(outcomes)} alone",
        measured=f"{len(failed)} of {len(calls)}: {_told(failed)}",
        holds=len(failed) > 0 and not wrong,
    )


def _fits(name: str, allowed: str) -> bool:
    code, _, reasons = name.partition(" ")
    wanted_code, _, wanted = allowed.partition(" ")
    return code == wanted_code and (not wanted or set(reasons.split(", ")) <= {wanted})


def said_only(what: str, calls: Calls, words: Collection[str], size: Size) -> Claim:
    """Next to all answers came from these tiers."""
    said = [each.said for each in calls.samples if each.ok]
    return Claim(
        what=what,
        claimed=f"{size.share:.0%} come from {' or '.join(words)}",
        measured=_told(calls),
        holds=bool(said) and sum(word in words for word in said) >= size.share * len(said),
    )


def faster(what: str, calls: Calls, bound_s: float, size: Size, *, share: float = 1.0) -> Claim:
    """This share of the calls ended, well or not, within a time."""
    bound_s *= size.slack
    took_s = calls.quantile_s(share) if len(calls) else math.inf
    name = "all" if share == 1.0 else f"p{share * 100:g}"
    return Claim(
        what=f"{what}, {name}",
        claimed=f"within {in_words(bound_s)}",
        measured=", ".join(f"{word} {in_words(calls.quantile_s(at))}" for word, at in _SHARES.items())
        if len(calls)
        else "there were none",
        holds=took_s <= bound_s,
    )


def well_again(seconds: float, bound_s: float, size: Size, what: str = "all is well again") -> Claim:
    """How soon after the fault calls go well."""
    return within(what, seconds, bound_s, size)


def within(what: str, seconds: float, bound_s: float, size: Size) -> Claim:
    """A time and its bound."""
    bound_s *= size.slack
    return Claim(what=what, claimed=f"within {in_words(bound_s)}", measured=in_words(seconds), holds=seconds <= bound_s)


def in_words(seconds: float) -> str:
    """A time for people."""
    if math.isinf(seconds):
        return "never"
    return f"{seconds * 1000:,.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _told(calls: Calls) -> str:
    return ", ".join(f"{count} {name}" for name, count in calls.outcomes().most_common())
