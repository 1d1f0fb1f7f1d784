"""`bookmesh breaker` against services that run: what it shows, what it moves, and how it fails."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.mesh.v1.admin_pb2 import Breaker, BreakerState
from typer.testing import CliRunner

from clients.breakers import Settable, find, move
from clients.cli import app
from clients.connect import BOOKS, ISBNDB, WARMER, Services, connect_to
from mesh.hosting.serve import serving
from mesh.identity.operator_token import OperatorToken
from mesh.status import NotFoundError, UnavailableError
from tests.integration.test_serving import made

NAME = "ISBNDB_WORKER/GetBook"


@dataclass
class House:
    """Services that run in this process, their stubs, and how a person reaches them."""

    services: Services
    addresses: dict[tuple[str, str], str]
    token: OperatorToken | None
    run: Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The services, and an address book that tells where they listen."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        """Runs the command in a process of its own, while the services go on here."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "clients.cli", "breaker", *arguments, "--book", str(tmp_path / "people.toml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, stdout.decode(), stderr.decode()

    async with serving(made(tmp_path)) as running:
        addresses = {key: listener.address for key, listener in running.listeners.items()}
        write_book(tmp_path / "people.toml", addresses)
        async with connect_to(addresses, token=running.token) as services:
            yield House(services, addresses, running.token, run)


def write_book(path: Path, addresses: dict[tuple[str, str], str]) -> None:
    """Turns addresses into an address book."""
    text = (path.parent / "mesh.toml").read_text()
    for (service, entrypoint), address in addresses.items():
        head, mark, rest = text.partition(f"[services.{service}]\n")
        text = (
            head
            + mark
            + rest.replace(f'{entrypoint.lower()} = "127.0.0.1:0"', f'{entrypoint.lower()} = "{address}"', 1)
        )
    path.write_text(text)


async def by_caller(services: Services) -> dict[tuple[str, str], Breaker]:
    """All breakers, by the service that calls and their name."""
    found, failures = await find(services)
    assert failures == []
    return {(each.caller, each.name): each for each in found}


async def fail(services: Services) -> str:
    """A search whose provider is not there; the reason that it fails with."""
    with pytest.raises(UnavailableError) as failed:
        await services.books.SearchAuto(books.SearchAutoRequest(q="9780441013593"))
    return failed.value.reason


async def test_lists_what_every_service_calls(house: House) -> None:
    """Each method of each binding has a breaker, named with the service that calls."""
    callers = {(caller, name.partition("/")[0]) for caller, name in await by_caller(house.services)}
    callers_of_the_warmer = {"BOOKS_API_PROXY", "ISBNDB_WORKER", "BOOKS_ADMIN", "ISBNDB_ADMIN"}
    assert callers == {(BOOKS, "ISBNDB_WORKER"), *((WARMER, binding) for binding in callers_of_the_warmer)}


async def test_tells_what_a_breaker_saw(house: House) -> None:
    """Failures in a row, calls of the window, and what moved it last are told, with times that people read."""
    before = (await by_caller(house.services))[BOOKS, NAME]
    for _ in range(3):
        await fail(house.services)
    after = (await by_caller(house.services))[BOOKS, NAME]
    assert (before.HasField("last_event"), before.HasField("failure_rate"), before.permitted_count) == (False, False, 0)
    assert (after.state, after.consecutive_failure_count, after.permitted_count) == (
        BreakerState.BREAKER_STATE_OPEN,
        3,
        3,
    )
    event = after.last_event
    assert (event.old_state, event.new_state, event.why) == (
        BreakerState.BREAKER_STATE_CLOSED,
        BreakerState.BREAKER_STATE_OPEN,
        "consecutive_failures",
    )
    assert abs(event.event_time.ToMicroseconds() - after.change_time.ToMicroseconds()) < 50_000
    assert 59_000 < after.reopen_ms <= 66_000


async def test_one_caller_is_moved_alone(house: House) -> None:
    """Forcing a breaker of one caller open leaves that of another caller of the same service as it was."""
    moved = await move(house.services, BOOKS, "ISBNDB_WORKER", Settable.FORCED_OPEN)
    states = {key: each.state for key, each in (await by_caller(house.services)).items()}
    assert {each.name for each in moved} == {name for caller, name in states if caller == BOOKS}
    assert (states[BOOKS, NAME], states[WARMER, NAME]) == (
        BreakerState.BREAKER_STATE_FORCED_OPEN,
        BreakerState.BREAKER_STATE_CLOSED,
    )
    await move(house.services, BOOKS, NAME, Settable.CLOSED)
    states = {key: each.state for key, each in (await by_caller(house.services)).items()}
    forced = {name for (caller, name), state in states.items() if state == BreakerState.BREAKER_STATE_FORCED_OPEN}
    assert (NAME in forced, len(forced)) == (False, len(moved) - 1)


async def test_name_that_fits_none(house: House) -> None:
    """A name that no breaker has moves nothing, and finds nothing."""
    for name in ("NOPE", "ISBNDB_WORKER/Nope", "ISBNDB_WORKER/"):
        with pytest.raises(NotFoundError):
            await move(house.services, BOOKS, name, Settable.CLOSED)
        assert await find(house.services, BOOKS, name) == ([], [])


async def test_command(house: House) -> None:
    """The command lists all as a table, moves one and shows it as JSON, and says what it does not find."""
    status, table, said = await house.run()
    rows = [line.split() for line in table.splitlines()]
    assert (status, said, rows[0][:3]) == (0, "", ["Caller", "Breaker", "State"])
    assert [BOOKS, NAME, "closed"] in [row[:3] for row in rows]
    status, answer, said = await house.run(BOOKS, NAME, "forced-open", "--json")
    moved = json.loads(answer)["breakers"]
    assert (status, said, [(each["name"], each["state"], each["lastEvent"]["why"]) for each in moved]) == (
        0,
        "",
        [(NAME, "BREAKER_STATE_FORCED_OPEN", "hand")],
    )
    status, answer, said = await house.run(BOOKS, "NOPE")
    assert (status, answer, said.split(";")[0]) == (1, "", "no breaker is called 'NOPE'")


@pytest.mark.parametrize(
    ("arguments", "words"), [(("nobody",), "one of isbndb-biography-worker"), ((BOOKS, NAME, "open"), "is not one of")]
)
def test_bad_usage(arguments: tuple[str, ...], words: str) -> None:
    """A service that is none, and a state that is not for hands, are bad usage, whether anything runs or not."""
    ended = CliRunner().invoke(app, ["breaker", *arguments])
    assert (ended.exit_code, words in " ".join(ended.stderr.replace("│", " ").split())) == (2, True), ended.stderr


async def test_service_that_can_not_be_asked(house: House) -> None:
    """With one service down the others' breakers are shown, and what is missing is told."""
    gone = {key: "127.0.0.1:9" if key == (WARMER, "Admin") else address for key, address in house.addresses.items()}
    async with connect_to(gone, token=house.token, deadline_s=5) as services:
        found, failures = await find(services)
    assert ({each.caller for each in found}, [line.split()[:3] for line in failures]) == (
        {BOOKS},
        [[f"{WARMER}:", "UNAVAILABLE", "SERVICE_UNREACHABLE:"]],
    )
    assert await find(house.services, ISBNDB) == ([], [])
