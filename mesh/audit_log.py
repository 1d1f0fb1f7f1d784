"""The audit log: one line of JSON for each call, written in batches beside the calls and never in their way."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import structlog

from mesh.journal import Record
from mesh.journal_message import as_line

FILE_LIMIT = 64 * 1024 * 1024
"""Bytes after which a file is put aside as `.1`, in the place of the one before; so it takes twice that at most."""

_PAUSE_S = 0.25
"""Seconds between two batches; what a killed process loses at most."""

_WAITING_LIMIT = 50_000
"""Records that wait at most; a disk that is slower than the calls costs lines, not memory. The gap is written down."""

_log = structlog.get_logger("mesh.audit_log")


class AuditLog:
    """One file of records.

    Args:
        path: the file; its directory is made.
        limit: bytes after which it is put aside.
    """

    def __init__(self, path: Path, limit: int = FILE_LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._waiting: list[Record] = []
        self._lost = 0

    def take(self, record: Record) -> None:
        """Keeps a record until the next batch is written."""
        if len(self._waiting) < _WAITING_LIMIT:
            self._waiting.append(record)
        else:
            self._lost += 1

    async def flush(self) -> None:
        """Writes what waits. A disk that fails costs these lines and is logged; no call fails for it."""
        batch, self._waiting = self._waiting, []
        lost, self._lost = self._lost, 0
        if not batch:
            return
        try:
            await asyncio.to_thread(self._write, batch, lost)
        except OSError as error:
            _log.error("audit_lost", lines=len(batch), error=type(error).__name__)

    def _write(self, batch: list[Record], lost: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [orjson.dumps(as_line(record), option=orjson.OPT_APPEND_NEWLINE) for record in batch]
        if lost:
            lines.append(orjson.dumps({"lost": lost}, option=orjson.OPT_APPEND_NEWLINE))
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_size >= self._limit:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        # Who called what when is for the operator's eyes.
        with open(self._path, "ab", opener=_private) as file:
            file.writelines(lines)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextlib.asynccontextmanager
async def auditing(path: Path) -> AsyncIterator[AuditLog]:
    """An audit log that writes by itself until the block ends, and then what is left."""
    log = AuditLog(path)

    async def run() -> None:
        while True:
            await asyncio.sleep(_PAUSE_S)
            await log.flush()

    task = asyncio.create_task(run(), name="audit log")
    try:
        yield log
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.flush()
