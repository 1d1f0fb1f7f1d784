"""The only module that reads and writes LIBRARY_DATA: libraries under their hash, and the reports of jobs.

libraries/<sha256>.csv        the file as it came
libraries/<sha256>.<n>.events what was found in it, read by format n
libraries/<sha256>.summary    what the answer to its upload was; written last, so a library without it is none
reports/<job>.csv             what became of each row
"""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import IO

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.stores.errors import StoreError
from mesh.stores.protocol import Bucket
from services.warmer import faults
from services.warmer.library.decoding import LibraryError
from services.warmer.library.events import Event, events_in
from services.warmer.library.reading import read_library

_FOLDER, _SUMMARY = "libraries/", ".summary"

CHUNK = 256 * 1024
"""Bytes that are read at a time."""

IN_MEMORY = 1024 * 1024
"""Bytes of a library that are held in memory; a larger one lies in a temporary file while it is worked on."""


def spool() -> IO[bytes]:
    """A place for a library while it is worked on; it is gone when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """All bytes of a file, from its start."""
    file.seek(0)
    while data := file.read(CHUNK):
        yield data


class Libraries:
    """Libraries at rest.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        bucket: the store.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def find(self, library_id: str) -> pb.UploadLibraryResponse | None:
        """What was answered when a library was first uploaded; None when it was not."""
        async with _store():
            found = await self._bucket.get(_summary(library_id))
        return None if found is None else pb.UploadLibraryResponse.FromString(found.data)

    async def require(self, library_id: str) -> pb.Library:
        """A library.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND.
        """
        found = await self.find(library_id)
        if found is None:
            raise faults.not_found(library_id)
        return found.library

    async def all(self, after: str = "") -> AsyncIterator[pb.Library]:
        """All libraries, by id.

        Args:
            after: those behind this id alone.
        """
        async with _store():
            ids = [_id_of(info.key) async for info in self._bucket.list(_FOLDER)]
        for library_id in sorted(library_id for library_id in ids if library_id > after):
            found = await self.find(library_id)
            if found is not None:
                yield found.library

    async def keep(self, file: IO[bytes], events: IO[bytes], answer: pb.UploadLibraryResponse) -> None:
        """Stores a library; when this returns, it is safe.

        Args:
            file: its bytes.
            events: what was found in it, packed.
            answer: what its uploader is told.
        """
        library = answer.library
        metadata = {"file-name": library.file_name.encode("ascii", "replace").decode()}
        async with _store():
            await self._bucket.put_stream(_file(library.id), _streamed(file), metadata=metadata)
        await self.keep_reading(events, answer)

    async def keep_reading(self, events: IO[bytes], answer: pb.UploadLibraryResponse) -> None:
        """Stores what was found in a library whose bytes are stored."""
        library = answer.library
        async with _store():
            await self._bucket.put_stream(_events(library.id, library.format), _streamed(events))
            await self._bucket.put(_summary(library.id), answer.SerializeToString())

    async def delete(self, library_id: str) -> None:
        """Forgets a library, if there is one. Its summary goes first: what has none is no library."""
        async with _store():
            await self._bucket.delete(_summary(library_id))
            for key in [info.key async for info in self._bucket.list(f"{_FOLDER}{library_id}.")]:
                await self._bucket.delete(key)

    @asynccontextmanager
    async def events(self, library: pb.Library) -> AsyncIterator[Iterator[Event]]:
        """What was found in a library when it was read, line by line; where that is lost, it is read anew.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND.
            InvalidArgumentError: as they are iterated: it can't be read, though it could when it was taken in.
        """
        with spool() as file:
            if await self._fetched(_events(library.id, library.format), file):
                yield events_in(file)
            elif await self._fetched(_file(library.id), file):
                yield _read_anew(file, library.format)
            else:
                raise faults.not_found(library.id)

    async def _fetched(self, key: str, file: IO[bytes]) -> bool:
        """Fetches an object into a file; whether there is one."""
        async with _store():
            try:
                async for data in self._bucket.stream(key):
                    file.write(data)
            except KeyError:
                return False
        return True

    async def keep_report(self, job_id: str, chunks: AsyncIterator[bytes]) -> None:
        """Stores the report of a job that is done."""
        async with _store():
            await self._bucket.put_stream(_report(job_id), chunks)

    async def report(self, job_id: str) -> AsyncIterator[bytes]:
        """The report of a job; nothing when none was stored."""
        async with _store():
            try:
                async for data in self._bucket.stream(_report(job_id)):
                    yield data
            except KeyError:
                return

    async def delete_report(self, job_id: str) -> None:
        """Forgets the report of a job, if there is one."""
        async with _store():
            await self._bucket.delete(_report(job_id))


def _file(library_id: str) -> str:
    return f"{_FOLDER}{library_id}.csv"


def _events(library_id: str, format_: pb.LibraryFormat.ValueType) -> str:
    return f"{_FOLDER}{library_id}.{format_}.events"


def _summary(library_id: str) -> str:
    return f"{_FOLDER}{library_id}{_SUMMARY}"


def _id_of(key: str) -> str:
    """The library whose summary lies there; empty when none does."""
    return key[len(_FOLDER) : -len(_SUMMARY)] if key.endswith(_SUMMARY) else ""


def _report(job_id: str) -> str:
    return f"reports/{job_id}.csv"


def _read_anew(file: IO[bytes], format_: pb.LibraryFormat.ValueType) -> Iterator[Event]:
    try:
        # It was within the limit when it was taken in.
        yield from read_library(chunks_of(file), max_rows=2**62, format_=format_)[1]
    except LibraryError as error:
        raise faults.refused(error) from None


async def _streamed(file: IO[bytes]) -> AsyncIterator[bytes]:
    for data in chunks_of(file):
        yield data


@asynccontextmanager
async def _store() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise faults.store_unavailable("LIBRARY_DATA") from error
