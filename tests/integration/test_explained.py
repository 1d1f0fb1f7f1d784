"""A call can be explained afterwards: by the trail in its error, the records of the services, and the audit log."""

import asyncio
import io
import json
import stat
from pathlib import Path

import pytest
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from rich.console import Console

from clients.connect import BOOKS, ISBNDB, connect_to
from clients.why import explain, story
from mesh.hosting.serve import serving
from mesh.status import InvalidArgumentError, UnavailableError
from tests.integration.test_serving import made

ISBN = "9780441013593"


async def test_failure_is_explained(tmp_path: Path) -> None:
    """A failure names every hop that led to it; each service remembers its part; the audit log has a line for each."""
    async with serving(made(tmp_path)) as house:
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        async with connect_to(addresses, token=house.token) as services:
            with pytest.raises(UnavailableError) as caught:
                await services.books.SearchAuto(books.SearchAutoRequest(q=ISBN))
            error = caught.value
            records = await explain(services, error.trace_id)
            unknown = await explain(services, "0" * 15 + "1")
    assert [(hop.caller, hop.service, hop.method, hop.code) for hop in error.trail] == [
        ("", BOOKS, "SearchAuto", "UNAVAILABLE"),
        (BOOKS, ISBNDB, "GetBook", "UNAVAILABLE"),
    ]
    assert unknown == []
    console = Console(file=io.StringIO(), width=160)
    console.print(story(records))
    told = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO from above
    assert [
        part in told
        for part in (
            f"people → {BOOKS} SearchAuto: UNAVAILABLE ALL_PROVIDERS_FAILED",
            f"{BOOKS} through ISBNDB_WORKER → {ISBNDB} GetBook: UNAVAILABLE PROVIDER_UNAVAILABLE",
            "retried: PROVIDER_UNAVAILABLE at attempt 1",
        )
    ] == [True, True, True], told
    log = tmp_path / ".bookmesh" / "audit" / "mesh.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    mine = [(line["service"], line["code"]) for line in lines if line["trace_id"] == error.trace_id]
    assert sorted(mine) == [(BOOKS, "UNAVAILABLE"), (ISBNDB, "UNAVAILABLE")]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_one_trace_over_every_hop(tmp_path: Path) -> None:
    """A trace that a foreign client began is that of every call which its question needed."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with serving(made(tmp_path)) as house:
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        async with connect_to(addresses, token=house.token) as services:
            metadata = (("traceparent", f"00-{trace}-b7ad6b7169203331-01"),)
            await asyncio.gather(
                services.books.SearchAuto(books.SearchAutoRequest(q=ISBN), metadata=metadata), return_exceptions=True
            )
            records = await explain(services, trace)
    assert {(record.caller, record.service) for record in records} == {("", BOOKS), (BOOKS, ISBNDB)}


@pytest.mark.parametrize("identity", ["", "xyz", "0x00000000000001", "g" * 16, "1" * 33])
async def test_what_is_no_id(tmp_path: Path, identity: str) -> None:
    """What has not the form of an id is the caller's mistake."""
    async with serving(made(tmp_path)) as house:
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        async with connect_to(addresses, token=house.token) as services:
            with pytest.raises(InvalidArgumentError) as caught:
                await services.books_admin.ExplainCall(books_admin.ExplainCallRequest(id=identity))
    assert caught.value.field == "id"
