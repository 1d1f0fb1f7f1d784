"""The only module that writes jobs into WARMING_CACHE; `scripts` says how they lie there, `leases` who is at one.

open                     a sorted set: the jobs that are not closed
jobs                     a sorted set: all jobs; their ids begin with their time
of:<library>             a sorted set: the jobs on a library; on none, those on books given in the request
request:<request_id>     the job that a request made, and a fingerprint of the request
running:<library>        the job that runs on a library
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.call import Clock
from mesh.stores.protocol import Kv
from services.warmer.jobs import scripts
from services.warmer.jobs.fields import failure_fields, job_of, new_fields, plan_fields
from services.warmer.jobs.job import ENDED, WAYS, Extent, Failure, Job, Part, State
from services.warmer.jobs.outcome import TALLIED, BatchRecord
from services.warmer.jobs.rate import STEP_S
from services.warmer.jobs.script_runner import ScriptRunner

DEAD_MS = 5_000
"""Milliseconds without a word after which whoever has a batch in hand is taken for dead; the server's clock counts."""

_FED = 500
"""Batches that are put on the stream in one script, so that none holds the server up."""

_READ = 200
"""Records that are read in one round trip."""

_SCRIPTS = ("begin", "move", "planned", "feed", "take", "note", "kept", "closed", "forget")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of the wish to begin a job."""

    word: str
    """"NEW"; "SAME": the request made it before; "REUSED": another request did; "BUSY": another job has the library."""
    job_id: str
    """The job that it speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A batch in hand."""

    job_id: str
    number: int
    entry: bytes
    """Its place on the stream."""
    fence: int
    """Tells this holding of it from all others."""
    record: bytes
    """What became of its searches so far."""


class JobStore:
    """Jobs at rest.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        kv: the store.
        replica: a name that no other process has.
        clock: seconds since the epoch.
        dead_ms: milliseconds without a word after which whoever has a batch is taken for dead.
    """

    def __init__(self, kv: Kv, replica: str, clock: Clock, *, dead_ms: int = DEAD_MS) -> None:
        self._kv = kv
        self._replica = replica
        self._clock = clock
        self._dead_ms = dead_ms
        self._scripts = ScriptRunner(kv, {name: getattr(scripts, name.upper()) for name in _SCRIPTS})

    @property
    def can_run(self) -> bool:
        """Whether the store is one that jobs can be shared by."""
        return self._scripts.can_run

    async def begin(self, job: Job, request: pb.WarmRequest, fingerprint: str) -> Claim:
        """Writes a new job, unless its request or its library belongs to another."""
        sets = ("open", "jobs", f"of:{job.library_id}")
        keys = [f"job:{job.id}", *sets, f"running:{job.library_id}", f"request:{job.request_id}"]
        known = plan_fields(job.part, job.extent) if job.part is not None else {}
        fields: list[str | bytes] = [*_flat(new_fields(job) | known), "asked", request.SerializeToString()]
        flags = (str(int(bool(job.library_id))), str(int(bool(job.request_id))))
        found = await self._scripts.run("begin", keys, job.id, fingerprint, self._kv.name("job:"), *flags, *fields)
        return Claim(found[0].decode(), found[1].decode())

    async def job(self, job_id: str) -> Job | None:
        """A job as it stands; None when there is none."""
        fields = await self._raw(lambda: self._kv.raw.hgetall(self._kv.name(f"job:{job_id}")))
        return job_of(job_id, fields) if fields else None

    async def asked(self, job_id: str) -> pb.WarmRequest:
        """The request that a job came from."""
        data = await self._raw(lambda: self._kv.raw.hget(self._kv.name(f"job:{job_id}"), "asked"))
        return pb.WarmRequest.FromString(data or b"")

    async def open_ids(self) -> list[str]:
        """The jobs that are not closed, oldest first."""
        return await self._ids("open")

    async def ids_of(self, library_id: str) -> list[str]:
        """All jobs on a library, oldest first; those on books given in the request, for the empty id."""
        return await self._ids(f"of:{library_id}")

    async def is_open(self, job_id: str) -> bool:
        """Whether a job is not closed."""
        return await self._raw(lambda: self._kv.raw.zscore(self._kv.name("open"), job_id)) is not None

    async def page(self, size: int, before: str) -> list[Job]:
        """Jobs, newest first, one more than asked for when there are more.

        Args:
            size: how many.
            before: the id of the last one that is known; empty for the newest.
        """
        begin = f"({before}" if before else "+"
        found = await self._raw(
            lambda: self._kv.raw.zrange(
                self._kv.name("jobs"), begin, "-", desc=True, bylex=True, offset=0, num=size + 1
            )
        )
        jobs = [await self.job(job_id.decode()) for job_id in found]
        return [job for job in jobs if job is not None]

    async def runs_on(self, library_id: str) -> str:
        """The job that has a library: it runs on it, or its report is not kept yet; empty when none has."""
        holder = await self._raw(lambda: self._kv.raw.get(self._kv.name(f"running:{library_id}")))
        return holder.decode() if holder and await self.is_open(holder.decode()) else ""

    async def move(
        self, job: Job, to: State, *, failure: Failure | None = None, resume_time: float | None = None
    ) -> State | None:
        """Moves a job to a state, if there is a way; the state that it is in then, None when it is gone."""
        now = repr(self._clock())
        fields = {"end_time": now} if to in ENDED else {}
        if failure is not None:
            fields |= failure_fields(failure)
        if resume_time is not None:
            fields["resume_time"] = repr(resume_time)
        keys = [f"job:{job.id}", f"queue:{job.id}", f"hand:{job.id}"]
        ways = "".join(f" {state.value} " for state in WAYS[to])
        found = await self._scripts.run("move", keys, to.value, ways, str(int(to in ENDED)), now, *_flat(fields))
        return None if found == b"GONE" else State(found.decode())

    async def planned(self, job: Job, part: Part, extent: Extent) -> bool:
        """Notes a job's plan, and lets it run; False when it has ended meanwhile, and needs none."""
        fields = _flat(plan_fields(part, extent))
        return bool(await self._scripts.run("planned", [f"job:{job.id}"], repr(self._clock()), *fields))

    async def feed(self, job: Job, *, anew: bool = False) -> None:
        """Puts the batches of a job on the stream, from where whoever began it stopped; none of a job that has ended.

        Args:
            job: its plan is made.
            anew: the stream was lost; batches that are finished stay so.
        """
        if job.part is None:
            return
        fed, total = 0 if anew else job.fed, len(job.part.batches)
        keys = [f"job:{job.id}", f"queue:{job.id}", f"tally:{job.id}"]
        while 0 <= fed < total:
            fed = int(await self._scripts.run("feed", keys, fed, job.part.first + fed, min(_FED, total - fed)))

    async def has_queue(self, job_id: str) -> bool:
        """Whether a job's stream is there."""
        return bool(await self._raw(lambda: self._kv.raw.exists(self._kv.name(f"queue:{job_id}"))))

    async def take(self, job_id: str) -> Hand | None:
        """A batch of a job that nobody has in hand, or whose holder is dead; None when there is none to be had."""
        keys = self._keys(job_id)
        while True:
            found = await self._scripts.run("take", keys, self._replica, self._dead_ms)
            if found[0] == b"BATCH":
                _, number, entry, fence, record = found
                return Hand(job_id=job_id, number=int(number), entry=entry, fence=fence, record=record)
            if found[0] != b"AGAIN":
                return None

    async def note(self, hand: Hand, record: BatchRecord, way: str) -> State | None:
        """Writes what became of a batch; the state of its job, or None when the batch is in another's hand by now.

        Args:
            hand: the batch.
            record: what became of it.
            way: "keep", "finish", or "release", which lets the next replica have it at once.
        """
        tally = record.tally()
        counts: list[str | int] = [each for pair in zip(TALLIED, tally.counts(), strict=True) for each in pair]
        found = await self._scripts.run(
            "note",
            self._keys(hand.job_id),
            hand.number,
            hand.fence,
            hand.entry,
            self._replica,
            way,
            repr(self._clock()),
            STEP_S,
            record.encode(),
            *counts,
        )
        return State(found[1].decode()) if found[0] == b"OK" else None

    async def records(self, job_id: str, numbers: Sequence[int]) -> list[bytes | None]:
        """What became of some batches, in their order."""
        found: list[bytes | None] = []
        key = self._kv.name(f"record:{job_id}")
        for at in range(0, len(numbers), _READ):
            found += await self._raw(partial(self._kv.raw.hmget, key, list(numbers[at : at + _READ])))
        return found

    async def kept(self, job: Job) -> State | None:
        """Notes that the report of a job is kept, with which one at work has succeeded; its state, None if gone."""
        keys = [f"job:{job.id}", f"running:{job.library_id}", f"queue:{job.id}", f"hand:{job.id}"]
        found = await self._scripts.run("kept", keys, job.id, repr(self._clock()))
        return None if found == b"GONE" else State(found.decode())

    async def closed(self, job: Job) -> None:
        """Nothing is left to do for a job; of one whose report is kept the records go."""
        keys = [f"job:{job.id}", "open", f"running:{job.library_id}", f"record:{job.id}", f"tally:{job.id}"]
        await self._scripts.run("closed", keys, job.id)

    async def forget(self, job: Job) -> None:
        """Takes a job away, and all that is known of it; one that somebody is at work on stays."""
        sets = ("open", "jobs", f"of:{job.library_id}")
        sole = (f"request:{job.request_id}", f"record:{job.id}", f"tally:{job.id}")
        await self._scripts.run("forget", [f"job:{job.id}", *sets, *sole], job.id)

    def _keys(self, job_id: str) -> list[str]:
        return [f"{kind}:{job_id}" for kind in ("job", "queue", "hand", "record", "tally")]

    async def _ids(self, name: str) -> list[str]:
        found = await self._raw(lambda: self._kv.raw.zrange(self._kv.name(name), 0, -1))
        return [job_id.decode() for job_id in found]

    async def _raw(self, operation: Callable[[], Awaitable[Value]]) -> Value:
        found: Value = await self._scripts.do(operation)
        return found


def _flat(fields: dict[str, str]) -> list[str]:
    return [each for pair in fields.items() for each in pair]
