"""Sends the requests, and notes what became of each: the code, errors in the logs, and the memory on the way."""

import asyncio
import gc
import logging
import os
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import structlog
from bookmesh.mesh.v1.admin_pb2 import BREAKER_STATE_CLOSED
from google.protobuf.message import DecodeError, Message

from mesh.call import Call, Metadatum, Reply, Side
from mesh.contract import Method
from mesh.status import MeshError
from tests.fuzz.house import Target
from tests.fuzz.mutation import Mutator

IN_FLIGHT = 24
"""Requests at a time."""

JOBS = 40
"""Jobs that Warm may start; after that it only makes plans."""

LOOKS = 100
"""Times that the memory is looked at, evenly over the run; before each the garbage is collected."""

WARM_UP = 0.3
"""The part of a run after which caches, pools and allocators have what they need."""

GROWTH_MIB = 16.0
GROWTH_PART = 0.05
"""What the memory may grow by after the warm-up, whichever is more: the noise of an allocator, and no leak of a hundred
bytes a request in 100,000."""

_PATIENCE_S = 20.0
"""Seconds past its deadline after which a call counts as hanging."""

_LOST = "metadata size exceeds"
"""What gRPC says when it throws an error's own status away for its size."""

_BAD_CODES = {"INTERNAL", "UNKNOWN", "HUNG", "BROKE"}

_DRY_RUN = b"\x20\x01"
"""WarmRequest.dry_run, set; of a field that comes twice the last one counts."""

_FIELDS = {"WarmJob": ("id", "job_id"), "Library": ("id", "library_id"), "Provenance": ("key", "key")}
"""What answers hold that requests can name: the message, its field, and the field of requests."""


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    codes: dict[str, Counter[str]] = field(default_factory=dict)
    """How calls ended, by target."""
    faults: list[str] = field(default_factory=list)
    """What must not happen, with the request that did it."""
    rss_mib: list[float] = field(default_factory=list)
    """The memory of the process, as it was looked at."""
    duration_s: float = 0.0

    @property
    def growth_mib(self) -> float:
        """By how much the memory at the end is above that after the warm-up, as medians of a tenth of all looks."""
        warm = self.rss_mib[round(len(self.rss_mib) * WARM_UP) :]
        few = max(1, len(self.rss_mib) // 10)
        return statistics.median(warm[-few:]) - statistics.median(warm[:few])

    @property
    def growth_limit_mib(self) -> float:
        """What it may be."""
        warm = self.rss_mib[round(len(self.rss_mib) * WARM_UP) :]
        return max(GROWTH_MIB, GROWTH_PART * warm[0])


async def attack(
    targets: Sequence[Target],
    *,
    requests: int,
    seed: int,
    looks: int = LOOKS,
    passed: Callable[[], None] = lambda: None,
) -> Outcome:
    """Sends so many requests, all targets in turn.

    Args:
        targets: the methods.
        requests: how many; each method gets its share.
        seed: what all chance comes from.
        looks: how often the memory is looked at.
        passed: called after each.
    """
    run = _Run(targets, requests, max(1, requests // looks), Random(seed), passed)  # noqa: S311 - a seed must name a run, nothing is secret here
    started = time.perf_counter()
    with _listening(run.fault):
        await run.all()
    run.outcome.duration_s = time.perf_counter() - started
    return run.outcome


class _Run:
    def __init__(
        self, targets: Sequence[Target], requests: int, every: int, chance: Random, passed: Callable[[], None]
    ) -> None:
        self._targets = targets
        self._requests = requests
        self._every = every
        self._chance = chance
        self._passed = passed
        self._mutator = Mutator(chance)
        self._jobs = JOBS
        self._sent = 0
        self.outcome = Outcome(codes={target.name: Counter() for target in targets})

    def fault(self, what: str) -> None:
        """Notes what must not happen; the first hundred tell enough."""
        if len(self.outcome.faults) < 100:
            self.outcome.faults.append(what)

    async def all(self) -> None:
        """Sends everything."""
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(self._some())

    async def _some(self) -> None:
        while self._sent < self._requests:
            at, self._sent = self._sent, self._sent + 1
            await self._one(self._targets[at % len(self._targets)])
            self._passed()
            if at % self._every == self._every - 1:
                gc.collect()
                self.outcome.rss_mib.append(_rss_mib())

    async def _one(self, target: Target) -> None:
        method, data = target.method, self._requests_of(target.method)
        call = Call(method, Side.CLIENT, deadline=time.monotonic() + self._deadline_s(method))
        call.metadata = self._metadata()
        call.request = data[0] if data else b""
        replies: list[Reply] = []
        if method.client_streaming:
            call.requests = _stream(data)
        if method.server_streaming:
            call.send = _taker(replies)
        code = said = "OK"
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._deadline_s(method) + _PATIENCE_S):
                replies.append(await self._chance.choice(target.ways)(call))
        except MeshError as error:
            code = error.code.name
            said = str(error)
        except TimeoutError:
            code = said = "HUNG"
        except asyncio.CancelledError as error:
            # Nobody cancels these calls, so this one lets go of its caller without a word.
            code, said = "BROKE", repr(error)
        except Exception as error:  # noqa: BLE001 - whatever a call raises beside its status is what is looked for
            code, said = "BROKE", repr(error)
        self.outcome.codes[target.name][code] += 1
        if code in _BAD_CODES or _LOST in said:
            self.fault(f"{target.name}: {said}; it was sent {b' '.join(data)[:400].hex()}")
        await self._look(target, replies, is_ok=code == "OK")

    def _requests_of(self, method: Method) -> list[bytes]:
        """The bytes to send: one request, or those of a stream."""
        count = self._chance.choice((0, 1, 1, 2, 2, 5)) if method.client_streaming else 1
        data = [self._request(method) for _ in range(count)]
        return [self._tamed(method, each) for each in data]

    def _request(self, method: Method) -> bytes:
        if self._chance.random() < 0.3:
            return self._mutator.raw(method.request_type)
        data: bytes = self._mutator.shape(method.request_type).SerializeToString()
        return data

    def _tamed(self, method: Method, data: bytes) -> bytes:
        """Keeps the jobs few: each of them goes on asking the provider when its call is over."""
        if method.name != "Warm":
            return data
        if self._jobs > 0 and self._chance.random() < 0.2:
            self._jobs -= 1
            return data
        return data + _DRY_RUN

    def _deadline_s(self, method: Method) -> float:
        # A stream may have no end but this.
        return self._chance.choice((0.02, 0.05, 0.3) if method.server_streaming else (0.01, *[2.0] * 20))

    def _metadata(self) -> Sequence[Metadatum]:
        return (
            (("x-bookmesh-class", self._chance.choice(("batch", "", "~" * 500))),)
            if self._chance.random() < 0.2
            else ()
        )

    async def _look(self, target: Target, replies: Sequence[Reply], *, is_ok: bool) -> None:
        """Learns what the answers name, and finds failures inside answers that did not fail as a whole."""
        for reply in replies:
            message = _message(target.method, reply)
            for inner in () if message is None else _messages(message, 3):
                name = inner.DESCRIPTOR.name
                if name == "CallError" and getattr(inner, "code") in _BAD_CODES:  # noqa: B009 - any message may come
                    self.fault(f"{target.name}: inside the answer: {inner}")
                if name in _FIELDS:
                    own, of_requests = _FIELDS[name]
                    self._mutator.learn(of_requests, getattr(inner, own))
                if "next_page_token" in inner.DESCRIPTOR.fields_by_name:
                    self._mutator.learn("page_token", getattr(inner, "next_page_token"))  # noqa: B009 - as above
        if target.method.name == "SetBreaker" and is_ok:
            await self._close_breakers(target)

    async def _close_breakers(self, target: Target) -> None:
        """A breaker that was forced open would keep everything after it from the services."""
        request: Any = target.method.request_type
        for name in ("ISBNDB_WORKER/*", "BOOKS_API_PROXY/*"):
            call = Call(target.method, Side.CLIENT, deadline=time.monotonic() + 2)
            call.request = request(name=name, state=BREAKER_STATE_CLOSED).SerializeToString()
            try:
                await target.ways[0](call)
            except MeshError:
                # This service has no such binding.
                continue


def _message(method: Method, reply: Reply) -> Message | None:
    if not isinstance(reply, bytes):
        return reply
    try:
        return method.response_type.FromString(reply)
    except DecodeError:
        return None


def _messages(message: Message, depth: int) -> Iterator[Message]:
    yield message
    for found, value in message.ListFields() if depth else ():
        if found.message_type is not None and not found.message_type.GetOptions().map_entry:
            for inner in value[:3] if found.is_repeated else [value]:
                yield from _messages(inner, depth - 1)


async def _stream(data: Sequence[bytes]) -> AsyncIterator[bytes]:
    for each in data:
        yield each


def _taker(replies: list[Reply]) -> Callable[[Reply], Any]:
    async def take(reply: Reply) -> None:
        if len(replies) < 20:
            replies.append(reply)

    return take


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def _listening(fault: Callable[[str], None]) -> Iterator[None]:
    """Hears of what was logged as an error, by our own logs and by anybody's; all else is dropped."""

    def hear(_: Any, level: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        if level in {"error", "exception", "critical"}:
            fault(f"logged: {event}")
        raise structlog.DropEvent

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fault(f"logged by {record.name}: {record.getMessage()} {record.exc_info or ''}")

    before, handler = structlog.get_config(), Heard(level=logging.ERROR)
    structlog.configure(processors=[structlog.processors.format_exc_info, hear])
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.configure(**before)
