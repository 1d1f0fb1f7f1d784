"""The audit log writes what it is given, in batches, and never grows without end."""

import json
from pathlib import Path

from mesh.audit_log import AuditLog, auditing
from mesh.call import Side
from mesh.journal import Journal, Record
from mesh.trace import Trace


def record(number: int = 1) -> Record:
    """A record of a call that failed."""
    return Record(
        at=1_700_000_000.5,
        trace=Trace(1, number, 2, ("a", "b")),
        side=Side.CLIENT,
        caller="a",
        binding="B",
        service="b",
        entrypoint="Default",
        method="/b.v1.B/Get",
        code="UNAVAILABLE",
        reason="DRAINING",
        elapsed_s=0.0125,
        attempts=2,
        breaker="CLOSED",
        tier="",
        sent=7,
        received=0,
        notes=(("retried", "DRAINING at attempt 1"),),
    )


async def test_line(tmp_path: Path) -> None:
    """A line has all that is known of the call, and leaves out what is empty."""
    log = AuditLog(tmp_path / "audit" / "a.jsonl")
    log.take(record())
    await log.flush()
    assert json.loads((tmp_path / "audit" / "a.jsonl").read_text()) == {
        "time": "2023-11-14T22:13:20.500000+00:00",
        "trace_id": f"{1:032x}",
        "call_id": f"{1:016x}",
        "parent_id": f"{2:016x}",
        "side": "client",
        "caller": "a",
        "binding": "B",
        "service": "b",
        "entrypoint": "Default",
        "method": "/b.v1.B/Get",
        "code": "UNAVAILABLE",
        "reason": "DRAINING",
        "ms": 12.5,
        "attempts": 2,
        "breaker": "CLOSED",
        "sent_bytes": 7,
        "received_bytes": 0,
        "decisions": [{"what": "retried", "why": "DRAINING at attempt 1"}],
    }


def names(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_file_is_put_aside(tmp_path: Path) -> None:
    """A file over its limit is put aside, and the one before it goes."""
    log = AuditLog(tmp_path / "a.jsonl", limit=10)
    for number in range(4):
        log.take(record(number))
        await log.flush()
    assert names(tmp_path) == ["a.jsonl", "a.jsonl.1"]


async def test_rest_is_written_at_the_end(tmp_path: Path) -> None:
    """What waits when a service ends is written before it has ended."""
    journal = Journal()
    async with auditing(tmp_path / "a.jsonl") as log:
        journal.forward(log.take)
        journal.add(record())
    assert (len((tmp_path / "a.jsonl").read_text().splitlines()), list(journal)) == (1, [record()])


async def test_disk_that_fails_costs_lines_alone(tmp_path: Path) -> None:
    """A directory that can't be made is logged, and nobody is hurt."""
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "a.jsonl")
    log.take(record())
    await log.flush()
    log.take(record())
    assert (tmp_path / "file").read_text() == ""


def test_journal_forgets_the_oldest() -> None:
    """A journal keeps as many records as it was told, the newest."""
    journal = Journal(kept=2)
    for number in range(1, 4):
        journal.add(record(number))
    assert [each.trace.call_id for each in journal] == [2, 3]
