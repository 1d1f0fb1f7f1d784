"""What triggers keep on every store alike: one firing of many at once, leases that end, and all after a restart."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from typing import Self

from mesh.background import Background
from mesh.schedule.firing import Firing
from mesh.schedule.keeping import Keeping
from mesh.schedule.running import Timing
from mesh.schedule.schedule import Schedule
from mesh.schedule.state import KEPT, Running, State
from mesh.stores.protocol import Kv

LINE = "*/15 * * * *"
NOON = 1_798_804_800.0
Connect = Callable[[], Kv]


class Replicas:
    """Schedules that share a store; their clocks stand still."""

    def __init__(self, connect: Connect, *, now: float = NOON) -> None:
        self.now = now
        self.ran: list[Firing] = []
        self.gate = asyncio.Event()
        """Firings end once it is set."""
        self.gate.set()
        self._connect = connect
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Opens nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends all."""
        await self._life.aclose()

    async def replica(self, *, ahead_s: float = 0.0, timing: Timing = Timing()) -> Schedule:  # noqa: B008 - frozen
        """One more."""
        kv = self._connect()
        self._life.push_async_callback(kv.aclose)
        background = await self._life.enter_async_context(Background())
        return Schedule(
            kv,
            [LINE],
            self._handle,
            background,
            prefix="trigger:",
            store="KV",
            timing=timing,
            clock=lambda: self.now + ahead_s,
        )

    async def _handle(self, firing: Firing) -> str:
        self.ran.append(firing)
        await self.gate.wait()
        return "done"


async def until_ended(schedule: Schedule, count: int) -> list[Firing]:
    """The firings of the line once so many have ended."""
    async with asyncio.timeout(20):
        while True:
            found = [each for each in (await schedule.list())[0].firings if each.end_time is not None]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


async def test_once(connect: Connect) -> None:
    """Of eight replicas that find an instant due at the same moment one fires it, and all tell the same of it."""
    async with Replicas(connect) as replicas:
        eight = [await replicas.replica(ahead_s=0.5 * number) for number in range(8)]
        await asyncio.gather(*(each._look(LINE) for each in eight))
        replicas.now += 900
        await asyncio.gather(*(each._look(LINE) for each in eight))
        told = await until_ended(eight[0], 1)
        assert [firing.due_time for firing in replicas.ran] == [NOON + 900]
        assert [(await each.list())[0].firings for each in eight] == [told] * 8


async def test_by_hand_at_once(connect: Connect) -> None:
    """Of eight people who fire a trigger at once one does, and all others are told what stands in their way."""
    async with Replicas(connect) as replicas:
        eight = [await replicas.replica() for _ in range(8)]
        replicas.gate.clear()
        asked = [asyncio.ensure_future(each.fire(LINE)) for each in eight]
        skipped = [await each for each in itertools.islice(asyncio.as_completed(asked), 7)]
        assert [each.outcome for each in skipped] == ["skipped: the firing of 2027-01-01T12:00:00Z still runs"] * 7
        replicas.gate.set()
        outcomes = [each.outcome for each in await asyncio.gather(*asked)]
        assert (outcomes.count("done"), len(replicas.ran)) == (1, 1)


async def test_a_restart(connect: Connect) -> None:
    """What was fired is known to whoever comes later, and nothing of it is fired again."""
    async with Replicas(connect) as replicas:
        first = await replicas.replica()
        await first._look(LINE)
        replicas.now += 900
        await first._look(LINE)
        before = await until_ended(first, 1)
    async with Replicas(connect, now=NOON + 910) as replicas:
        second = await replicas.replica()
        await second._look(LINE)
        assert ((await second.list())[0].firings, replicas.ran) == (before, [])


async def test_lost(connect: Connect) -> None:
    """A lease that nobody renews ends by the store's own clock; then the firing is lost, and made up for."""
    timing = Timing(lease_s=0.2, renew_s=0.05)
    kv = connect()
    keeping = Keeping(kv, prefix="trigger:", lease_s=timing.lease_s)
    dead = Running(holder="dead", firing=Firing(cron=LINE, due_time=NOON, start_time=NOON))
    await keeping.lease(LINE, "dead")
    assert await keeping.change(LINE, await keeping.find(LINE), State(through=round(NOON), running=dead))
    async with Replicas(connect) as replicas:
        schedule = await replicas.replica(timing=timing)
        await schedule._look(LINE)
        assert replicas.ran == []
        await asyncio.sleep(0.3)
        await schedule._look(LINE)
        told = await until_ended(schedule, 2)
        assert [(each.made_up, each.outcome) for each in told] == [
            (True, "done"),
            (False, "lost: the replica that ran it is gone"),
        ]
    await kv.aclose()


async def test_a_hundred(connect: Connect) -> None:
    """The last hundred firings of a trigger are told, newest first, and no more."""
    async with Replicas(connect) as replicas, aclosing(connect()) as kv:
        schedule = await replicas.replica()
        keeping = Keeping(kv, prefix="trigger:", lease_s=1)
        state = State(through=round(NOON))
        for number in range(KEPT + 20):
            at = NOON + number
            state = state.ended(Firing(cron=LINE, due_time=at, start_time=at, end_time=at, outcome=f"ünder {number}"))
        assert await keeping.change(LINE, await keeping.find(LINE), state)
        told = (await schedule.list())[0].firings
        assert [each.outcome for each in told] == [f"ünder {number}" for number in range(KEPT + 19, 19, -1)]


async def test_who_comes_late_changes_nothing(connect: Connect) -> None:
    """A replica that has read a trigger before another changed it can't change it any more."""
    kv = connect()
    keeping = Keeping(kv, prefix="trigger:", lease_s=10)
    first = await keeping.find(LINE)
    assert await keeping.change(LINE, first, State(through=1))
    assert await keeping.change(LINE, first, State(through=2)) is False
    second = await keeping.find(LINE)
    assert await keeping.change(LINE, second, State(through=3))
    assert await keeping.change(LINE, second, State(through=4)) is False
    assert (await keeping.find(LINE)).state == State(through=3)
    await kv.aclose()
