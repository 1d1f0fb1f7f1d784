"""Takes a library in: its bytes are gathered, hashed, read and stored before anybody is told that it was accepted."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import IO

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.call import Clock
from mesh.status import InvalidArgumentError
from services.warmer import faults
from services.warmer.jobs.messages import timestamp
from services.warmer.library.decoding import LibraryError
from services.warmer.library.events import EventWriter
from services.warmer.library.libraries import Libraries, chunks_of, spool
from services.warmer.library.memory import LARGE, give_back
from services.warmer.library.reading import LibraryCounts, read_library
from services.warmer.library.rows import Reject, Repair

TOLD = 100
"""Rejects, and repairs, that an answer shows; their numbers are told in full."""

_NAME_LENGTH = 255

_log = structlog.get_logger("services.warmer")


class Intake:
    """Takes libraries in.

    Args:
        libraries: where they are kept.
        max_bytes: bytes that one may have.
        max_rows: rows that one may have.
        clock: seconds since the epoch.
    """

    def __init__(self, libraries: Libraries, *, max_bytes: int, max_rows: int, clock: Clock) -> None:
        self._libraries = libraries
        self._max_bytes = max_bytes
        self._max_rows = max_rows
        self._clock = clock

    async def take(self, parts: AsyncIterator[pb.UploadLibraryRequest]) -> pb.UploadLibraryResponse:
        """Takes one library.

        A file that is stored already is not stored again. When it comes with another format than the one that it is
        read by, it is read anew, and by that format from then on: the last one that was forced counts.

        Args:
            parts: a header, maybe, then the bytes.

        Raises:
            InvalidArgumentError: LIBRARY_TOO_LARGE, LIBRARY_EMPTY, LIBRARY_NOT_TEXT, LIBRARY_NO_COLUMNS (or the file
                can't be read by the format that is forced), or INVALID_FIELD.
            UnavailableError: STORE_UNAVAILABLE.
        """
        with spool() as file, spool() as events:
            header, library_id = await self._gather(parts, file)
            stored = await self._libraries.find(library_id)
            if stored is not None and header.format in {pb.LIBRARY_FORMAT_UNSPECIFIED, stored.library.format}:
                stored.already_stored = True
                return stored
            # Reading holds the processor for long, so it is done beside the loop that serves everybody else.
            answer = await asyncio.to_thread(self._read, file, events, header.format)
            library = answer.library
            library.id = library_id
            library.byte_count = file.seek(0, 2)
            if stored is None:
                library.file_name = header.file_name[:_NAME_LENGTH]
                library.create_time.CopyFrom(timestamp(self._clock()))
                await self._libraries.keep(file, events, answer)
            else:
                library.file_name = stored.library.file_name
                library.create_time.CopyFrom(stored.library.create_time)
                await self._libraries.keep_reading(events, answer)
                answer.already_stored = True
        _log.info(
            "library_stored",
            library=library.id,
            format=pb.LibraryFormat.Name(library.format),
            rows=library.row_count,
            rejects=library.reject_count,
        )
        return answer

    async def _gather(
        self, parts: AsyncIterator[pb.UploadLibraryRequest], file: IO[bytes]
    ) -> tuple[pb.LibraryHeader, str]:
        """Writes the bytes to a file; the header, and the hash of the bytes."""
        header, size, digest = pb.LibraryHeader(), 0, hashlib.sha256()
        is_first = True
        async for part in parts:
            match part.WhichOneof("part"):
                case "data":
                    size += len(part.data)
                    if size > self._max_bytes:
                        raise faults.too_large(self._max_bytes, "bytes")
                    digest.update(part.data)
                    file.write(part.data)
                case "header" if is_first:
                    header = part.header
                case _:
                    what = "a header comes first or not at all"
                    raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, what, field="header")
            is_first = False
        return header, digest.hexdigest()

    def _read(
        self, file: IO[bytes], packed: IO[bytes], format_: pb.LibraryFormat.ValueType
    ) -> pb.UploadLibraryResponse:
        """Reads a library, packs what it holds into a file, and tells about it."""
        counts, writer = LibraryCounts(), EventWriter(packed)
        is_large = file.seek(0, 2) >= LARGE
        if is_large:
            give_back()
        answer = pb.UploadLibraryResponse()
        try:
            columns, events = read_library(chunks_of(file), max_rows=self._max_rows, format_=format_)
            for event in events:
                counts.add(event)
                writer.add(event)
                if isinstance(event, Reject) and len(answer.rejects) < TOLD:
                    answer.rejects.add(line=event.line, reason=event.reason, hint=event.hint, text=event.text)
                elif isinstance(event, Repair) and len(answer.repairs) < TOLD:
                    answer.repairs.add(line=event.line, reason=event.reason, hint=event.hint)
        except LibraryError as error:
            raise faults.refused(error) from None
        writer.flush()
        answer.library.MergeFrom(
            pb.Library(
                format=columns.format,
                row_count=counts.row_count,
                book_count=counts.book_count,
                author_count=counts.author_count,
                reject_count=counts.reject_count,
                duplicate_count=counts.duplicate_count,
                repair_count=counts.repair_count,
                columns=columns.names,
            )
        )
        if is_large:
            give_back()
        return answer
