"""Faults of the stores: a search never fails for one, whatever it does."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from tests.chaos.claims import Claim, Size, faster, none_fails, said_only, well_again
from tests.chaos.course import ANSWER_S, Scenario, through
from tests.chaos.fault_proxy import Delay, Garbage, HalfOpen, Mode, Refuse, Throttle
from tests.chaos.faults import frozen, proxied, stopped
from tests.chaos.house import House

Fault = Callable[[House], AbstractAsyncContextManager[None]]

WELL_S = 1.5
"""Seconds until a tier is used again: it is left alone for one after it has failed five times in a row."""


def _scenario(broken: str, fault: Fault, tiers: Sequence[str], *, brief: bool = False) -> Scenario:
    async def run(house: House, size: Size) -> Sequence[Claim]:
        course = await through(house, size, fault(house))
        cached, uncached = course.load.of("cached"), course.load.of("uncached")
        return [
            none_fails("cached searches", cached),
            said_only("cached searches", course.during("cached"), tiers, size),
            faster("cached searches", course.during("cached"), ANSWER_S, size, share=0.99),
            none_fails("uncached searches", uncached),
            faster("uncached searches", course.during("uncached"), ANSWER_S, size, share=0.99),
            well_again(course.well_s, WELL_S, size, "the hot tier answers again"),
        ]

    return Scenario(broken=broken, run=run, brief=brief)


def _kv(mode: Mode) -> Fault:
    return lambda house: proxied(house.kv, mode)


def _s3(mode: Mode) -> Fault:
    return lambda house: proxied(house.s3, mode)


ANY = ("HOT", "COLD", "ORIGIN")

STORES = (
    _scenario("valkey-server killed, and started again", lambda house: stopped(house.valkey), ANY, brief=True),
    _scenario("valkey-server frozen", lambda house: frozen(house.valkey), ANY, brief=True),
    _scenario("valkey-server 100 to 150 ms slower", _kv(Delay(50, 25)), ANY),
    _scenario("valkey-server's answers trickle, 20 bytes a second", _kv(Throttle(20)), ANY),
    _scenario("connections to valkey-server half open", _kv(HalfOpen()), ANY),
    _scenario("connections to valkey-server refused", _kv(Refuse()), ANY),
    _scenario("valkey-server answers garbage", _kv(Garbage()), ANY),
    _scenario("S3 server killed, and started again", lambda house: stopped(house.seaweed), ("HOT",)),
    _scenario("S3 server frozen", lambda house: frozen(house.seaweed), ("HOT",)),
    _scenario("S3 server 200 to 300 ms slower", _s3(Delay(100, 50)), ("HOT",)),
    _scenario("connections to the S3 server half open", _s3(HalfOpen()), ("HOT",)),
    _scenario("S3 server answers garbage", _s3(Garbage()), ("HOT",)),
    _scenario("both stores frozen", lambda house: frozen(house.valkey, house.seaweed), ANY, brief=True),
)
