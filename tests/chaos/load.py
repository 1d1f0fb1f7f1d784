"""A bounded load at an even rate, and what became of each call: the only place that judges calls by the clock."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from mesh.status import MeshError

IN_FLIGHT = 64
"""Calls of one kind under way at most; a turn that would be more is skipped, and counted."""

WELL = 5
"""Calls in a row that must go well before all is well again."""

Ask = Callable[[int], Awaitable[str]]
"""Makes one call, the n-th; gives a word about its answer, such as the tier that it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call."""

    kind: str
    due: float
    """When its turn was, on the monotonic clock."""
    took_s: float
    """Seconds from then to its end, so that a caller which falls behind hides nothing."""
    code: str = "OK"
    reason: str = ""
    """A word of ErrorReason; for a search that every provider failed, that of the provider."""
    said: str = ""
    """The word about its answer."""

    @property
    def end(self) -> float:
        """When it ended."""
        return self.due + self.took_s

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.code == "OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Calls of one kind."""

    kind: str
    ask: Ask
    per_s: float


@dataclass(slots=True)
class Load:
    """Streams of calls that run until the block ends; those that are under way then are waited for.

    Args:
        streams: the kinds of calls, each at its own rate.
    """

    streams: Sequence[Stream]
    samples: list[Sample] = field(default_factory=list)
    """Ended calls, as they ended."""
    skipped_count: int = 0
    """Turns at which too many were under way."""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Begins."""
        group = await self._running.enter_async_context(asyncio.TaskGroup())
        for stream in self.streams:
            group.create_task(self._run(stream, group))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Makes no more calls, and waits for those that are under way."""
        self._stop.set()
        await self._running.__aexit__(kind, error, stack)

    async def _run(self, stream: Stream, group: asyncio.TaskGroup) -> None:
        began, turn, under_way = time.monotonic(), 0, set[asyncio.Task[None]]()
        # Each turn is somewhere in its share of the time: at even steps, calls of one kind would always meet the other.
        chance = random.Random(stream.kind)  # noqa: S311 - a load that can be repeated, no secret
        while not self._stop.is_set():
            due = began + (turn + chance.random()) / stream.per_s
            await asyncio.sleep(due - time.monotonic())
            if len(under_way) < IN_FLIGHT:
                task = group.create_task(self._one(stream, turn, due))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            else:
                self.skipped_count += 1
            turn += 1

    async def _one(self, stream: Stream, turn: int, due: float) -> None:
        code, reason, said = "OK", "", ""
        try:
            said = await stream.ask(turn)
        except MeshError as error:
            code, reason = error.code.name, error.metadata.get("reasons", error.reason)
        took_s = time.monotonic() - due
        self.samples.append(Sample(kind=stream.kind, due=due, took_s=took_s, code=code, reason=reason, said=said))

    def of(self, kind: str, since: float = -math.inf, until: float = math.inf) -> "Calls":
        """The calls of a kind whose turn was in a time, in the order of their turns."""
        found = (each for each in self.samples if each.kind == kind and since <= each.due < until)
        return Calls(sorted(found, key=lambda each: each.due))

    async def well(self, since: float, within_s: float, said: Iterable[str] = ()) -> float:
        """Waits until calls of every kind go well again.

        Args:
            since: when the fault ended.
            within_s: seconds to wait for it.
            said: words that count as well; none means any.

        Returns:
            Seconds from `since` to the end of the last call that did not go well; infinity when it took too long.
        """
        words = set(said)
        while time.monotonic() < since + within_s:
            times = [_well_s(self.of(stream.kind, since), since, words) for stream in self.streams]
            if all(each is not None for each in times):
                return max(each or 0.0 for each in times)
            await asyncio.sleep(0.02)
        return math.inf


def _well_s(calls: "Calls", since: float, words: set[str]) -> float | None:
    bad = [at for at, each in enumerate(calls.samples) if not each.ok or (words and each.said not in words)]
    if len(calls.samples) - (bad[-1] + 1 if bad else 0) < WELL:
        return None
    return max(0.0, max(calls.samples[at].end for at in bad) - since) if bad else 0.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls to be judged."""

    samples: Sequence[Sample]

    def __len__(self) -> int:
        """How many."""
        return len(self.samples)

    @property
    def failed(self) -> "Calls":
        """Those that failed."""
        return Calls([each for each in self.samples if not each.ok])

    def because(self, reason: str) -> "Calls":
        """Those that failed with a reason."""
        return Calls([each for each in self.samples if each.reason == reason])

    def outcomes(self) -> Counter[str]:
        """How they ended: how many with each "CODE reason", or with each word that was said."""
        return Counter(
            f"{each.code} {each.reason}" if not each.ok else f"OK {each.said}".strip() for each in self.samples
        )

    def codes(self) -> set[str]:
        """The statuses."""
        return {each.code for each in self.samples}

    def slowest_s(self) -> float:
        """Seconds of the slowest; 0 of none."""
        return max((each.took_s for each in self.samples), default=0.0)

    def quantile_s(self, share: float) -> float:
        """Seconds that this share of them did not exceed; 0 of none."""
        took = sorted(each.took_s for each in self.samples)
        return took[min(len(took) - 1, math.ceil(share * len(took)) - 1)] if took else 0.0
