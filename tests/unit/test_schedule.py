"""Replicas share triggers: what each of them does when they look, when they die and when the store is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest
import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_QUOTA_SPENT

from mesh.background import Background
from mesh.hosting.vitals import Vitals
from mesh.schedule.firing import Firing
from mesh.schedule.running import Timing
from mesh.schedule.schedule import Schedule
from mesh.status import NotFoundError, ResourceExhaustedError, UnavailableError
from mesh.stores.memory import MemoryKv
from tests.unit.virtual_time import VirtualTime

HOURLY = "0 * * * *"
NOON = 1_798_804_800.0
TIMING = Timing()


class House:
    """Replicas that share a store and a time; each has a clock that is ahead or behind."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.time.now = NOON - 10.0
        self.kv = MemoryKv(self.time)
        self.vitals = Vitals()
        self.ran: list[tuple[str, str]] = []
        """Who ran which firing."""
        self.outcomes: list[str | BaseException] = []
        """What the next calls of a handler end with; "done" when there is none."""
        self.takes_s = 0.0
        """How long a firing takes."""
        self._lives: dict[str, AsyncExitStack] = {}
        self._leases = 0

    def _random_hex(self, size: int) -> str:
        self._leases += 1
        return f"{self._leases:0{2 * size}x}"

    async def replica(
        self, name: str = "a", *crons: str, ahead_s: float = 0.0, started: bool = True, kv: MemoryKv | None = None
    ) -> Schedule:
        """Lets a replica live."""

        async def handle(firing: Firing) -> str:
            self.ran.append((name, firing.id))
            await self.time.sleep(self.takes_s)
            outcome = self.outcomes.pop(0) if self.outcomes else "done"
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        life = self._lives[name] = AsyncExitStack()
        background = await life.enter_async_context(Background(vitals=self.vitals))
        schedule = Schedule(
            kv or self.kv,
            crons or [HOURLY],
            handle,
            background,
            prefix="trigger:",
            store="WARMING_CACHE",
            clock=lambda: self.time.now + ahead_s,
            monotonic=self.time,
            sleep=self.time.sleep,
            random_hex=self._random_hex,
        )
        if started:
            schedule.start()
        return schedule

    async def drain(self, name: str) -> None:
        """Lets a replica end as it does when it is asked to."""
        await self._lives.pop(name).aclose()

    async def kill(self, name: str) -> None:
        """Lets a replica die as by SIGKILL: its lease stays where it is."""
        ends = {key: kept for key, kept in self.kv._values.items() if ":lease:" in key}
        await self.drain(name)
        self.kv._values.update(ends)

    async def close(self) -> None:
        """Ends all."""
        for life in self._lives.values():
            await life.aclose()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A house, ten seconds before noon."""
    made = House()
    yield made
    await made.close()


async def told(schedule: Schedule) -> Sequence[Firing]:
    """The firings of a house's only trigger, newest first."""
    return (await schedule.list())[0].firings


async def test_once(house: House) -> None:
    """Four replicas whose clocks are two seconds apart fire an instant once, and the one that is ahead does."""
    replicas = [await house.replica(name, ahead_s=ahead) for name, ahead in zip("abcd", (-3, -1, 1, 3), strict=True)]
    await house.time.run_for(100)
    assert house.ran == [("d", "0 * * * * 2027-01-01T12:00:00Z")]
    assert [await told(replica) for replica in replicas] == [await told(replicas[0])] * 4


async def test_every_hour(house: House) -> None:
    """Each instant that comes fires, on its minute."""
    schedule = await house.replica()
    await house.time.run_for(5 * 3600)
    assert [(each.due_time - NOON, each.start_time - NOON) for each in await told(schedule)] == [
        (hour * 3600, hour * 3600) for hour in (4, 3, 2, 1, 0)
    ]


async def test_trigger(house: House) -> None:
    """A trigger tells its line, its next instant and no more firings than are asked for."""
    schedule = await house.replica("a", "0   0 * * *", HOURLY, HOURLY)
    await house.time.run_for(3 * 3600)
    daily, hourly = await schedule.list(2)
    assert (daily.cron, daily.next_time, [*daily.firings]) == ("0 0 * * *", NOON + 12 * 3600, [])
    assert (hourly.cron, hourly.next_time, len(hourly.firings)) == (HOURLY, NOON + 3 * 3600, 2)


async def test_down_for_long(house: House) -> None:
    """What was due while nobody was there is made up once, by whichever replica comes first."""
    await house.replica("a")
    await house.time.run_for(60)
    await house.drain("a")
    house.time.now = NOON + 72.5 * 3600
    schedule = await house.replica("b")
    await house.replica("c")
    await house.time.run_for(600)
    assert house.ran == [("a", "0 * * * * 2027-01-01T12:00:00Z"), ("b", "0 * * * * 2027-01-04T12:00:00Z")]
    assert [each.made_up for each in await told(schedule)] == [True, False]


async def test_new_trigger(house: House) -> None:
    """A line that is new in the manifest fires for nothing that is past."""
    house.time.now = NOON + 60
    await house.replica("a")
    await house.time.run_for(600)
    assert house.ran == []


async def test_killed(house: House) -> None:
    """A firing whose replica is killed is lost once its lease is over, and another replica makes up for it."""
    house.takes_s = 60
    await house.replica("a", ahead_s=1)
    schedule = await house.replica("b")
    await house.time.run_for(20)
    await house.kill("a")
    await house.time.run_for(TIMING.lease_s + TIMING.look_s)
    assert house.ran == [("a", "0 * * * * 2027-01-01T12:00:00Z"), ("b", "0 * * * * 2027-01-01T12:00:00Z")]
    await house.time.run_for(60)
    assert [(each.outcome, each.reason, each.made_up) for each in await told(schedule)] == [
        ("done", "", True),
        ("lost: the replica that ran it is gone", "SERVICE_UNREACHABLE", False),
    ]


async def test_killed_alone(house: House) -> None:
    """A replica that is started again makes up for what it lost itself."""
    house.takes_s = 60
    await house.replica("a")
    await house.time.run_for(20)
    await house.kill("a")
    await house.replica("a")
    await house.time.run_for(TIMING.lease_s + TIMING.look_s)
    assert house.ran == [("a", "0 * * * * 2027-01-01T12:00:00Z")] * 2


async def test_drained(house: House) -> None:
    """A replica that drains lets go of its firing, and another makes up for it at its next look."""
    house.takes_s = 60
    await house.replica("a", ahead_s=1)
    await house.replica("b")
    await house.time.run_for(20)
    await house.drain("a")
    await house.time.run_for(TIMING.look_s)
    assert [name for name, _ in house.ran] == ["a", "b"]


async def test_long_firing(house: House) -> None:
    """While a firing runs for longer than its lease, it is not taken for lost, and later instants are skipped."""
    house.takes_s = 2.5 * 3600
    schedule = await house.replica("a")
    await house.replica("b")
    await house.time.run_for(3.25 * 3600)
    assert [(each.due_time - NOON, each.outcome[:7]) for each in await told(schedule)] == [
        (3 * 3600, ""),
        (2 * 3600, "skipped"),
        (1 * 3600, "skipped"),
        (0, "done"),
    ]


async def test_failures(house: House) -> None:
    """A handler that fails is told by its reason, one that breaks by an id that the log has; the next firing comes."""
    spent = ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, "the day's calls are gone")
    house.outcomes = [spent, ValueError("secret"), asyncio.CancelledError(), "went on"]
    with structlog.testing.capture_logs() as logs:
        schedule = await house.replica()
        await house.time.run_for(4 * 3600)
    ids = [entry["error_id"] for entry in logs if entry["event"] == "firing_broke"]
    assert [(each.outcome, each.reason) for each in await told(schedule)] == [
        ("went on", ""),
        ("what the firing waited for was cancelled", "CANCELLED"),
        (f"something broke; the log has it under {ids[0]}", "INTERNAL"),
        ("the day's calls are gone", "QUOTA_SPENT"),
    ]
    assert house.vitals.failed == ()


async def test_store_away_when_due(house: House) -> None:
    """While the store is away nothing fires and nothing breaks; once it is back, what was due is made up."""
    schedule = await house.replica()
    await house.time.run_for(5)
    house.kv.down = True
    with structlog.testing.capture_logs() as logs:
        await house.time.run_for(600)
        assert house.ran == []
        house.kv.down = False
        await house.time.run_for(TIMING.look_s)
    assert [each.made_up for each in await told(schedule)] == [True]
    assert [entry["event"] for entry in logs if entry["event"].startswith("schedule")] == [
        "schedule_away",
        "schedule_back",
    ]
    assert house.vitals.failed == ()


async def test_store_away_for_a_moment(house: House) -> None:
    """A firing lives through a store that is away for less than its lease, and is told once that is back."""
    house.takes_s = 12
    schedule = await house.replica()
    await house.time.run_for(14)
    house.kv.down = True
    await house.time.run_for(7)
    house.kv.down = False
    await house.time.run_for(30)
    assert (len(house.ran), [each.outcome for each in await told(schedule)]) == (1, ["done"])


async def test_store_away_for_long(house: House) -> None:
    """A firing that can't renew its lease ends before others could begin, and is made up for."""
    house.takes_s = 600
    schedule = await house.replica()
    await house.time.run_for(11)
    house.kv.down = True
    await house.time.run_for(TIMING.lease_s)
    house.kv.down = False
    house.takes_s = 0
    await house.time.run_for(2 * TIMING.look_s)
    assert [(each.outcome[:4], each.made_up) for each in await told(schedule)] == [("done", True), ("lost", False)]


async def test_outcome_waits_for_the_store(house: House) -> None:
    """What a firing did is kept as soon as the store answers again."""
    house.takes_s = 5
    schedule = await house.replica()
    await house.time.run_for(12)
    house.kv.down = True
    await house.time.run_for(8)
    house.kv.down = False
    await house.time.run_for(2)
    assert [(each.outcome, each.end_time) for each in await told(schedule)] == [("done", NOON + 5)]


async def test_given_up_by_others(house: House) -> None:
    """A replica that stood still while its lease ended does nothing more, and changes nothing of what others made."""
    house.takes_s = 60
    schedule = await house.replica("a", ahead_s=1)
    await house.replica("b")
    await house.time.run_for(12)
    # What a replica that stands still does not do is to renew its lease.
    await house.kv.delete(*[key async for key in house.kv.scan(f"trigger:{HOURLY}:lease:")])
    await house.time.run_for(TIMING.look_s)
    assert [name for name, _ in house.ran] == ["a", "b"]
    await house.time.run_for(120)
    assert [(each.outcome[:4], each.made_up) for each in await told(schedule)] == [("done", True), ("lost", False)]


async def test_by_hand(house: House) -> None:
    """Who fires a trigger is told what came of it, and the clock's own firing comes beside."""
    schedule = await house.replica()
    house.takes_s = 2
    firing = await house.time.run(schedule.fire(f" {HOURLY}"))
    assert (firing.forced, firing.outcome, firing.start_time, firing.end_time) == (True, "done", NOON - 10, NOON - 8)
    await house.time.run_for(30)
    assert [each.forced for each in await told(schedule)] == [False, True]


async def test_by_hand_while_one_runs(house: House) -> None:
    """A second firing by hand is skipped, in whichever replica it is asked for."""
    house.takes_s = 30
    first, second = await house.replica("a"), await house.replica("b")
    asked = asyncio.ensure_future(first.fire(HOURLY))
    await house.time.run_for(5)
    assert (await second.fire(HOURLY)).outcome == "skipped: the firing of 2027-01-01T11:59:50Z still runs"
    assert (await house.time.run(_result(asked))).outcome == "done"


async def test_by_hand_and_gone(house: House) -> None:
    """A caller that goes away does not end the firing."""
    house.takes_s = 5
    schedule = await house.replica()
    asked = asyncio.ensure_future(schedule.fire(HOURLY))
    await house.time.run_for(1)
    asked.cancel()
    await house.time.run_for(5)
    assert [(each.outcome, each.forced) for each in await told(schedule)] == [("done", True)]


async def test_unknown_line(house: House) -> None:
    """Who names a line that is not in the manifest is told those that are."""
    schedule = await house.replica("a", HOURLY, "0 2 * * *")
    with pytest.raises(NotFoundError) as caught:
        await schedule.fire("0 3 * * *")
    assert (caught.value.reason, caught.value.metadata) == ("TRIGGER_NOT_FOUND", {"cron": "0 3 * * *"})
    assert caught.value.message == "no trigger has the line '0 3 * * *'; there are: '0 * * * *', '0 2 * * *'"


@pytest.mark.parametrize("ask", [lambda schedule: schedule.list(), lambda schedule: schedule.fire(HOURLY)])
async def test_store_away_when_asked(house: House, ask: Callable[[Schedule], Awaitable[object]]) -> None:
    """People are told when the store is away, and which."""
    schedule = await house.replica(started=False)
    house.kv.down = True
    with pytest.raises(UnavailableError) as caught:
        await ask(schedule)
    assert (caught.value.reason, caught.value.metadata) == ("STORE_UNAVAILABLE", {"store": "WARMING_CACHE"})


async def test_what_lies_there_is_none(house: House) -> None:
    """Whatever lies under a trigger's key, the trigger goes on, as one that was never seen."""
    await house.kv.put(f"trigger:{HOURLY}", b'{"through":"[')
    schedule = await house.replica()
    await house.time.run_for(60)
    assert [each.outcome for each in await told(schedule)] == ["done"]


async def test_a_broken_look(house: House) -> None:
    """A fault that nobody foresaw costs one look, and never the loop."""

    class Broken(MemoryKv):
        """Breaks once."""

        broke = False

        async def get(self, key: str) -> bytes | None:
            """Breaks at first."""
            if not self.broke:
                self.broke = True
                raise ZeroDivisionError
            return await super().get(key)

    with structlog.testing.capture_logs() as logs:
        schedule = await house.replica(kv=Broken(house.time))
        await house.time.run_for(60)
    assert [entry["event"] for entry in logs][:1] == ["look_broke"]
    assert ([each.outcome for each in await told(schedule)], house.vitals.failed) == (["done"], ())


async def test_two_ask_at_once(house: House) -> None:
    """Of two replicas that find the same state at the same time, one fires, and the other finds it done."""

    class Slow(MemoryKv):
        """Lets others come in between what is read and what is written."""

        async def get(self, key: str) -> bytes | None:
            """Reads, and answers after a while."""
            found = await super().get(key)
            for _ in range(5):
                await asyncio.sleep(0)
            return found

    kv = Slow(house.time)
    schedule = await house.replica("a", kv=kv)
    await house.replica("b", kv=kv)
    await house.time.run_for(60)
    assert (len(house.ran), len(await told(schedule))) == (1, 1)
    assert [key async for key in kv.scan("trigger:")] == [f"trigger:{HOURLY}"]


async def test_keys(house: House) -> None:
    """A trigger lies under its line, readably, and a firing that runs has a lease beside it that ends by itself."""
    house.takes_s = 60
    await house.replica()
    await house.time.run_for(12)
    state, lease = sorted([key async for key in house.kv.scan("")])
    assert (state, lease.startswith(f"{state}:lease:")) == (f"trigger:{HOURLY}", True)
    assert await house.kv.ttl_s(state) is None
    assert 12 <= (await house.kv.ttl_s(lease) or 0) <= 15
    assert b'"running":{"holder":' in (await house.kv.get(state) or b"")


async def _result(task: asyncio.Task[Firing]) -> Firing:
    return await task
