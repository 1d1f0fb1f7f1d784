"""The triggers of a service, in every replica of it: when they look at the clock, and what people ask of them."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_STORE_UNAVAILABLE, ERROR_REASON_TRIGGER_NOT_FOUND

from mesh.background import Background
from mesh.call import Clock
from mesh.schedule.firing import Firing, Handler, Trigger
from mesh.schedule.keeping import Keeping
from mesh.schedule.running import Runner, Sleep, Timing
from mesh.schedule.state import KEPT, State, Step, by_hand, by_the_clock, given_up
from mesh.schedule.times import next_due, written
from mesh.status import NotFoundError, UnavailableError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv

_log = structlog.get_logger("mesh.schedule")

_Decide = Callable[[str, State | None, float, str], Step]
"""A step of a trigger, by its line, what is kept of it, the time and the lease of whoever takes it."""


class Schedule:
    """Fires each due instant of each cron line once over all replicas that share a store, and lets no two overlap.

    Clocks may differ by seconds: the replica whose clock is ahead fires, and the others find it done.

    Args:
        kv: the store that all replicas share.
        crons: the lines, as the manifest has them; `env.MESH.crons`.
        handler: what a firing does.
        background: where firings and looks at the clock run; closed, it leaves them to other replicas.
        prefix: what stands before the keys in the store.
        store: the store's name, as errors tell it.
        timing: how often replicas look after their triggers.
        clock: seconds since the epoch.
        monotonic: seconds, never going back.
        sleep: waits for seconds.
        random_hex: so many bytes at random, as text; names leases.
    """

    def __init__(
        self,
        kv: Kv,
        crons: Sequence[str],
        handler: Handler,
        background: Background,
        *,
        prefix: str,
        store: str,
        timing: Timing = Timing(),  # noqa: B008 - frozen, so it may be shared
        clock: Clock = time.time,
        monotonic: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        random_hex: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._lines = tuple(dict.fromkeys(map(_line, crons)))
        self._background = background
        self._store = store
        self._timing = timing
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._random_hex = random_hex
        self._keeping = Keeping(kv, prefix=prefix, lease_s=timing.lease_s)
        self._runner = Runner(self._keeping, handler, timing, clock=clock, monotonic=monotonic, sleep=sleep)
        self._mine: set[str] = set()
        """The leases of firings that run here."""
        self._away = False

    def start(self) -> None:
        """Looks at the clock from now on, for as long as the background lasts."""
        for line in self._lines:
            self._background.spawn(self._mind(line), name=f"schedule {line}", vital=True)

    async def list(self, limit: int = KEPT) -> list[Trigger]:
        """The triggers in the order of the manifest.

        Args:
            limit: firings told of each.

        Raises:
            UnavailableError: the store does not answer.
        """
        try:
            found = [await self._keeping.find(line) for line in self._lines]
        except StoreError as error:
            raise self._unavailable() from error
        return [
            Trigger(
                cron=line,
                next_time=next_due(line, self._clock()),
                firings=each.state.newest_first()[:limit] if each.state else (),
            )
            for line, each in zip(self._lines, found, strict=True)
        ]

    async def fire(self, cron: str) -> Firing:
        """Fires a trigger now, unless a firing of it runs; gives it once it has ended, or was skipped.

        A caller that goes away does not end the firing.

        Raises:
            NotFoundError: the manifest has no such line.
            UnavailableError: the store does not answer, and nothing was fired.
        """
        line = _line(cron)
        if line not in self._lines:
            known = ", ".join(map(repr, self._lines)) or "none"
            raise NotFoundError(
                ERROR_REASON_TRIGGER_NOT_FOUND,
                f"no trigger has the line {cron[:100]!r}; there are: {known}",
                metadata={"cron": cron[:100]},
            )
        try:
            state, firing = await self._move(line, by_hand)
        except StoreError as error:
            raise self._unavailable() from error
        return state.firings[0] if firing is None else await asyncio.shield(firing)

    async def _mind(self, line: str) -> None:
        """Looks whether a trigger is due, until it is cancelled."""
        while True:
            await self._sleep(await self._look(line))

    async def _look(self, line: str) -> float:
        """Does what is due, and gives the seconds until the next look; raises nothing."""
        try:
            state, _ = await self._move(line, by_the_clock)
        except StoreError as error:
            if not self._away:
                self._away = True
                _log.warning("schedule_away", waits_for=self._store, why=str(error))
            return self._timing.look_s
        except Exception:  # noqa: BLE001 - no fault may end what every later firing depends on
            _log.exception("look_broke", trigger=line)
            return self._timing.look_s
        if self._away:
            self._away = False
            _log.info("schedule_back")
        longest = self._timing.look_s if state.running else self._timing.rest_s
        return max(0.0, min(longest, next_due(line, state.through) - self._clock()))

    async def _move(self, line: str, decide: _Decide) -> tuple[State, asyncio.Task[Firing] | None]:
        """Takes a trigger's next step: what is kept now, and the firing that has begun here, if one has.

        Raises:
            StoreError: the store does not answer.
        """
        while True:
            found = await self._keeping.find(line)
            state = found.state
            if state and state.running and not await self._is_held(line, state.running.holder):
                state = given_up(state, self._clock())
            holder = self._random_hex(8)
            step = decide(line, state, self._clock(), holder)
            if step.begins is None:
                if step.state == found.state or await self._keeping.change(line, found, step.state):
                    return step.state, None
                continue
            leased_at = self._monotonic()
            await self._keeping.lease(line, holder)
            if await self._keeping.change(line, found, step.state):
                return step.state, self._spawn(step.begins, holder, leased_at)
            await self._keeping.let_go(line, holder)

    async def _is_held(self, line: str, holder: str) -> bool:
        return holder in self._mine or await self._keeping.is_held(line, holder)

    def _spawn(self, firing: Firing, holder: str, leased_at: float) -> asyncio.Task[Firing]:
        async def run() -> Firing:
            self._mine.add(holder)
            try:
                return await self._runner.run(firing, holder, leased_at)
            finally:
                self._mine.discard(holder)

        due = written(firing.due_time)
        _log.info("firing", trigger=firing.cron, due=due, forced=firing.forced, made_up=firing.made_up)
        return self._background.spawn(run(), name=f"firing {firing.id}")

    def _unavailable(self) -> UnavailableError:
        return UnavailableError(
            ERROR_REASON_STORE_UNAVAILABLE,
            f"{self._store} does not answer, so nothing is known of the triggers, and nothing was fired",
            metadata={"store": self._store},
        )


def _line(cron: str) -> str:
    """A line with single spaces, as it names its trigger."""
    return " ".join(cron.split())
