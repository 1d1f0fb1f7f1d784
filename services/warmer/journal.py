"""The only module that writes WARMING_CACHE: jobs and their checkpoints, under keys that a person can read.

job:<job>                the WarmJob
asked:<job>              the WarmRequest that it came from
plan:<job>               the digest of its plan; its batches are worth nothing with another
batch:<job>:<number>     what became of the searches of one batch
open:<job>               there while the job has not ended
request:<request_id>     the job that this request made
running:<library_id>     the job that runs on this library
"""

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv
from services.warmer import faults, messages
from services.warmer.job import Job
from services.warmer.outcome import BatchRecord
from services.warmer.plan import Plan

_GROUP = 200
"""Batches that are read in one round trip."""


class Claim(msgspec.Struct, frozen=True):
    """Which job a request made, and what it asked for."""

    job_id: str
    fingerprint: str


class PageTokenError(ValueError):
    """A page token that was not given out here."""


class Journal:
    """Jobs at rest.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        kv: the store.
    """

    def __init__(self, kv: Kv) -> None:
        self._kv = kv

    async def job(self, job_id: str) -> Job | None:
        """A job as it was last written; None when there is none."""
        async with _store():
            data = await self._kv.get(f"job:{job_id}")
        return None if data is None else _job(data)

    async def put(self, job: Job) -> None:
        """Writes a job."""
        async with _store():
            await self._kv.put(f"job:{job.id}", messages.job_message(job).SerializeToString())

    async def begin(self, job: Job, request: pb.WarmRequest) -> None:
        """Writes a new job, and that it has not ended."""
        items = {
            f"asked:{job.id}": request.SerializeToString(),
            f"job:{job.id}": messages.job_message(job).SerializeToString(),
            f"open:{job.id}": b"",
        }
        async with _store():
            await self._kv.put_many(items)

    async def end(self, job: Job) -> None:
        """Writes a job that has ended, and lets go of its library."""
        await self.put(job)
        async with _store():
            if job.library_id and await self._kv.get(f"running:{job.library_id}") == job.id.encode():
                await self._kv.delete(f"running:{job.library_id}")
            await self._kv.delete(f"open:{job.id}")

    async def asked(self, job_id: str) -> pb.WarmRequest | None:
        """The request that a job came from."""
        async with _store():
            data = await self._kv.get(f"asked:{job_id}")
        return None if data is None else pb.WarmRequest.FromString(data)

    async def unended(self) -> list[Job]:
        """The jobs that have not ended, oldest first; a marker that a crash left behind goes."""
        found = []
        async with _store():
            job_ids = [key.partition(":")[2] async for key in self._kv.scan("open:")]
        for job_id in sorted(job_ids):
            job = await self.job(job_id)
            if job is None or job.ended:
                async with _store():
                    await self._kv.delete(f"open:{job_id}")
            else:
                found.append(job)
        return found

    async def page(self, size: int, token: str) -> tuple[list[Job], str]:
        """Jobs, newest first, and the token of the next page; "" at the end.

        Raises:
            PageTokenError: the token is none.
        """
        before = _read_token(token) if token else ""
        async with _store():
            names = [key.partition(":")[2] async for key in self._kv.scan("job:")]
            # Ids begin with their time, so their order is the jobs'.
            ordered = sorted((name for name in names if not before or name < before), reverse=True)
            here = ordered[:size]
            found = await self._kv.get_many([f"job:{name}" for name in here]) if here else []
        jobs = [_job(data) for data in found if data is not None]
        return jobs, _token(here[-1]) if len(ordered) > size else ""

    async def claim_request(self, request_id: str, claim: Claim) -> Claim:
        """Ties a request's id to a job, unless it is tied already; what it is tied to now."""
        key = f"request:{request_id}"
        async with _store():
            if await self._kv.put_if_absent(key, msgspec.json.encode(claim)):
                return claim
            data = await self._kv.get(key)
        return claim if data is None else msgspec.json.decode(data, type=Claim)

    async def release_request(self, request_id: str) -> None:
        """Unties a request's id from a job that did not come to be."""
        async with _store():
            await self._kv.delete(f"request:{request_id}")

    async def claim_library(self, library_id: str, job_id: str) -> Job | None:
        """Takes a library for a job; the job that runs on it already, if one does.

        A job that has ended, or never came to be, holds nothing: whoever wrote it died before it let go.
        """
        key = f"running:{library_id}"
        async with _store():
            if await self._kv.put_if_absent(key, job_id.encode()):
                return None
            holder = await self._kv.get(key)
        held_by = await self.job(holder.decode()) if holder and holder != job_id.encode() else None
        if held_by is not None and not held_by.ended:
            return held_by
        async with _store():
            await self._kv.put(key, job_id.encode())
        return None

    async def adopt(self, job_id: str, plan: Plan) -> list[BatchRecord]:
        """What became of each batch of a plan so far; batches of another plan do not count, and are forgotten."""
        known = await self.records_of(job_id, plan)
        if known is not None:
            return known
        async with _store():
            stale = [key async for key in self._kv.scan(f"batch:{job_id}:")]
            for at in range(0, len(stale), _GROUP):
                await self._kv.delete(*stale[at : at + _GROUP])
            await self._kv.put(f"plan:{job_id}", plan.digest().encode())
        return [BatchRecord(len(batch)) for batch in plan.batches]

    async def records_of(self, job_id: str, plan: Plan) -> list[BatchRecord] | None:
        """The records of a job's batches, an empty one for each that has none; None when they are another plan's."""
        found: list[bytes | None] = []
        keys = [_batch_key(job_id, number) for number in range(len(plan.batches))]
        async with _store():
            if await self._kv.get(f"plan:{job_id}") != plan.digest().encode():
                return None
            for at in range(0, len(keys), _GROUP):
                found += await self._kv.get_many(keys[at : at + _GROUP])
        return [
            (BatchRecord.decode(data, len(batch)) if data is not None else None) or BatchRecord(len(batch))
            for data, batch in zip(found, plan.batches, strict=True)
        ]

    async def put_batch(self, job_id: str, number: int, record: BatchRecord) -> None:
        """Writes what became of one batch."""
        async with _store():
            await self._kv.put(_batch_key(job_id, number), record.encode())


@asynccontextmanager
async def _store() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise faults.store_unavailable("WARMING_CACHE") from error


def _batch_key(job_id: str, number: int) -> str:
    return f"batch:{job_id}:{number:06d}"


def _job(data: bytes) -> Job:
    return messages.job_of(pb.WarmJob.FromString(data))


def _token(job_id: str) -> str:
    return base64.urlsafe_b64encode(job_id.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise PageTokenError(token) from error
