"""The doctor on addresses: free, taken by whom, and held by a deployment that is well or not."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.config.address import Address
from mesh.config.address_book import StandIn, parse_address_book
from mesh.doctor.ports import Holder, Place, _program, holder, look
from mesh.doctor.running import Listener, Means, addresses
from tests.ports import free_ports

TCP = Address("tcp", "127.0.0.1:7420")


def test_free_port() -> None:
    """A port that nobody has is free, and stays so; port 0 always is."""
    (port,) = free_ports(1)
    address = Address("tcp", f"127.0.0.1:{port}")
    assert [look(address), look(address), look(Address("tcp", "127.0.0.1:0"))] == [Place.FREE] * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - both keep loopback's port
def test_taken_port(host: str) -> None:
    """A port that somebody listens on is taken, and /proc tells by whom."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = holder(port)
        assert (look(Address("tcp", f"127.0.0.1:{port}")), found and found.pid) == (Place.TAKEN, os.getpid())


def test_holder_of_nothing() -> None:
    """A port that nobody listens on has no holder, nor has one where there is no /proc."""
    (port,) = free_ports(1)
    assert (holder(port), holder(port, Path("/nowhere"))) == (None, None)


def test_address_of_another_machine() -> None:
    """An address that this machine has not is elsewhere."""
    # 192.0.2.0/24 is for documentation (RFC 5737), so nobody has it.
    assert look(Address("tcp", "192.0.2.1:7420")) is Place.ELSEWHERE


def test_unix_sockets(tmp_path: Path) -> None:
    """A socket is taken while somebody listens on it, and free when its process has gone or it is not there."""
    path = tmp_path / "s"
    address = Address("unix", f"unix:{path}")
    before = look(address)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(path))
        listening.listen()
        during = look(address)
    assert (before, during, look(address)) == (Place.FREE, Place.TAKEN, Place.FREE)


@pytest.mark.parametrize(
    ("cmdline", "program", "ours"),
    [
        (b"/usr/bin/python3\0-m\0mesh.cli\0up\0", "python3 mesh.cli", True),
        (b"/x/python\0/x/bin/bookmesh\0up\0", "python bookmesh", True),
        (b"python\0-m\0http.server\0--password=canary\0", "python http.server", False),
        (b"python\0-c\0canary\0", "python", False),
        (b"/usr/bin/valkey-server\0--requirepass\0canary\0", "valkey-server", False),
        (b"", "?", False),
    ],
)
def test_program(cmdline: bytes, program: str, *, ours: bool) -> None:
    """A process is named by its program alone: its arguments may be secret."""
    found = _program(cmdline)
    assert (found, Holder(1, found).is_ours()) == (program, ours)


def listener(name: str = "books", address: Address = TCP) -> Listener:
    """An entrypoint."""
    return Listener(name, "Default", address, "books.v1")


async def judged(
    said: dict[str, tuple[Place, str]], by: Holder | None = None, stand_ins: tuple[StandIn, ...] = ()
) -> list[str]:
    """What is found of listeners whose addresses look so, and say so."""

    async def ask(asked: Listener) -> str:
        return said[asked.service][1]

    places = {Address("tcp", f"127.0.0.1:{index}"): place for index, (place, _) in enumerate(said.values())}
    expected = [listener(name, address) for name, address in zip(said, places, strict=True)]
    places |= {stand_in.address: Place.TAKEN for stand_in in stand_ins}
    means = Means(look=places.__getitem__, holder=lambda _: by, ask=ask)
    return [f"{each.severity.value} {each.check}: {each.what}" for each in await addresses(expected, stand_ins, means)]


async def test_nothing_runs() -> None:
    """A deployment that does not run, and could, has no finding."""
    assert await judged({"books": (Place.FREE, ""), "leaf": (Place.FREE, "")}) == []


async def test_all_serve() -> None:
    """A deployment that serves is told as a note."""
    assert await judged({"books": (Place.TAKEN, "SERVING")}) == ["note running: 1 of 1 entrypoints serve now."]


async def test_taken_by_another_program() -> None:
    """An address that another program has is an error with its name."""
    (found,) = await judged({"books": (Place.TAKEN, "SERVICE_UNREACHABLE")}, Holder(42, "nginx"))
    assert found == "error port: 127.0.0.1:0, where books:Default listens, is taken by process 42 (nginx)."


async def test_taken_by_nobody_knows_whom() -> None:
    """An address whose holder can't be seen is an error all the same."""
    (found,) = await judged({"books": (Place.TAKEN, "METHOD_UNKNOWN")})
    assert "is taken by another process." in found


async def test_a_deployment_that_does_not_answer() -> None:
    """An address that a bookmesh holds without a word of health is an error of health."""
    (found,) = await judged({"books": (Place.TAKEN, "DEADLINE_EXCEEDED")}, Holder(42, "python mesh.cli"))
    assert found.endswith("is held by process 42 (python mesh.cli), whose health says DEADLINE_EXCEEDED.")


async def test_not_serving() -> None:
    """A service that says NOT_SERVING is an error, whoever holds its address."""
    (found,) = await judged({"books": (Place.TAKEN, "NOT_SERVING")})
    assert found.startswith("error health: ")


async def test_silent_while_others_serve() -> None:
    """A service that is gone while others of its deployment serve is an error."""
    found = await judged({"books": (Place.TAKEN, "SERVING"), "leaf": (Place.FREE, "")})
    assert found[0].startswith("error health: 127.0.0.1:1, where leaf:Default listens, is silent")


async def test_forbidden_and_elsewhere() -> None:
    """An address that is not ours is an error, one of another machine that is silent a warning."""
    found = await judged({"a": (Place.FORBIDDEN, ""), "b": (Place.ELSEWHERE, "SERVICE_UNREACHABLE")})
    assert [each.split(":")[0] for each in found] == ["error port", "warning health"]


@pytest.mark.parametrize(
    ("runs", "program", "count"),
    [(True, "python sandbox", 0), (False, "python sandbox", 1), (True, "nginx", 1), (True, None, 0)],
)
async def test_stand_in(program: str | None, count: int, *, runs: bool) -> None:
    """A stand-in's address may be taken by itself while its deployment runs, and by nobody else."""
    text = b'[stand_ins.KEY]\nmodule = "sandbox"\naddress = "127.0.0.1:7490"\nsecret = "s"\n'
    stand_ins = parse_address_book(text, Path("mesh.toml")).stand_ins
    place = (Place.TAKEN, "SERVING") if runs else (Place.FREE, "")
    found = await judged({"books": place}, program and Holder(1, program), stand_ins)  # type: ignore[arg-type]  # None or a Holder
    assert len([each for each in found if each.startswith("error port")]) == count


def test_holder_is_found_in_another_process() -> None:
    """The holder of a port is named when it is another process, by its program."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            found = None
            for _ in range(400):
                found = holder(port)
                if found is not None:
                    break
                # A process that is starting needs a moment.
                subprocess.run(["sleep", "0.05"], check=True)
            assert found == Holder(process.pid, found.program if found else "")
            assert found is not None
            assert found.program.endswith("http.server")
        finally:
            process.kill()
