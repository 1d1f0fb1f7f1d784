"""Faults of the provider: what is cached is answered, all else is refused, first in time and then at once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from tests.chaos.claims import Claim, Size, fail_only, faster, none_fails, said_only, well_again
from tests.chaos.course import ANSWER_S, DEADLINE_S, REFUSED_REMOTE_S, REOPEN_S, Course, Scenario, through
from tests.chaos.fault_proxy import Blackhole, Garbage, HalfOpen, Mode, Refuse, Reset, Throttle
from tests.chaos.faults import provider_fails, proxied
from tests.chaos.house import House

IMPATIENT_S = 0.5
"""What impatient callers give: less than the binding's own time."""

GRACE_S = 0.2
"""Seconds by which an answer may be later than the time that it was given."""

BROKEN = "UNAVAILABLE PROVIDER_UNAVAILABLE"
TOO_SLOW = ("UNAVAILABLE PROVIDER_TIMEOUT", "UNAVAILABLE DEADLINE_EXCEEDED", "UNAVAILABLE DEADLINE_TOO_SHORT")
"""The leaf says so shortly before its time is over; where it is late with that, its caller has stopped waiting, and
where half of the latest calls took longer than is left, it is not asked at all."""

UNREADABLE = "UNAVAILABLE PROVIDER_BAD_ANSWER"
LATE = "DEADLINE_EXCEEDED"
REFUSED = "UNAVAILABLE CIRCUIT_OPEN"

Fault = Callable[[House], AbstractAsyncContextManager[None]]


def _claims(course: Course, size: Size, outcomes: Sequence[str], longest_s: float, *, opens: bool) -> Sequence[Claim]:
    """What is claimed alike of every fault of the provider: it differs in what callers hear, and how late."""
    cached, uncached = course.load.of("cached"), course.load.of("uncached", course.began)
    refused = uncached.because("CIRCUIT_OPEN")
    at_once = faster("uncached searches, breaker open", refused, REFUSED_REMOTE_S, size, share=0.5)
    return [
        none_fails("cached searches", cached),
        said_only("cached searches", cached, ("HOT",), size),
        faster("cached searches", course.during("cached"), ANSWER_S, size, share=0.99),
        fail_only("uncached searches", uncached, [*outcomes, REFUSED]),
        faster("uncached searches", uncached, longest_s, size),
        *([at_once] if opens else []),
        well_again(course.well_s, REOPEN_S + ANSWER_S, size),
    ]


def _scenario(
    broken: str,
    fault: Fault,
    outcomes: Sequence[str],
    *,
    waits: bool = False,
    opens: bool = True,
    impatient: bool = False,
    brief: bool = False,
) -> Scenario:
    """One fault of the provider.

    Args:
        broken: what is broken.
        fault: breaks it.
        outcomes: how uncached searches fail, beside being refused.
        waits: the provider has to be waited for, so that the first ones fail late.
        opens: so many fail that the breaker opens.
        impatient: callers give less time than the services would take.
        brief: `make test` runs it, too.
    """
    timeout_s = IMPATIENT_S if impatient else None
    longest_s = (timeout_s or DEADLINE_S) + GRACE_S if waits else ANSWER_S

    async def run(house: House, size: Size) -> Sequence[Claim]:
        least_s = longest_s + REOPEN_S / 2 if waits else 0.0
        course = await through(house, size, fault(house), least_s=least_s, timeout_s=timeout_s)
        return _claims(course, size, outcomes, longest_s, opens=opens)

    return Scenario(broken=broken, run=run, brief=brief)


def _network(mode: Mode) -> Fault:
    return lambda house: proxied(house.provider, mode)


def _itself(**fault: object) -> Fault:
    return lambda house: provider_fails(house, **fault)


PROVIDER = (
    _scenario("the provider hangs", _network(Blackhole()), TOO_SLOW, waits=True, brief=True),
    _scenario(
        "the provider hangs, and callers give up first",
        _network(Blackhole()),
        [LATE],
        waits=True,
        impatient=True,
        brief=True,
    ),
    _scenario("the provider's answers trickle, 20 bytes a second", _network(Throttle(20)), TOO_SLOW, waits=True),
    # New connections are well, so no more calls hang than there were connections.
    _scenario("connections to the provider half open", _network(HalfOpen()), TOO_SLOW, waits=True, opens=False),
    _scenario("the provider answers with bytes that are no HTTP", _network(Garbage()), [UNREADABLE], brief=True),
    _scenario("the provider answers with HTML for JSON", _itself(kind="garbage"), [UNREADABLE]),
    _scenario("the provider answers 503", _itself(kind="status", status=503), [BROKEN], brief=True),
    _scenario("the provider breaks off in mid-answer", _itself(kind="truncated"), [UNREADABLE]),
    _scenario("the provider resets connections", _network(Reset()), [BROKEN]),
    _scenario("the provider refuses connections", _network(Refuse()), [BROKEN]),
)
