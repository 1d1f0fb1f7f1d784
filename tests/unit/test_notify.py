"""How a process tells the one that started it that it serves: sd_notify's protocol, spoken and heard."""

import asyncio
import socket
import time
from pathlib import Path

import pytest

from mesh.hosting.notify import READY, RELOADING, STOPPING, VARIABLE, Ear, ears, notify


def tell(ear: Ear, state: str) -> None:
    """As a process does that was given this ear."""
    notify(state, {VARIABLE: str(ear.path)})


async def heard(ear: Ear, *, ready: bool) -> bool:
    """Whether an ear comes to know this in time."""
    for _ in range(200):
        if ear.ready.is_set() is ready:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_ready() -> None:
    """READY is heard by the ear that it is told to, and by no other."""
    async with ears(2) as (first, second):
        tell(second, READY)
        assert (await heard(second, ready=True), first.ready.is_set()) == (True, False)


@pytest.mark.parametrize("state", [STOPPING, RELOADING])
async def test_no_more_ready(state: str) -> None:
    """A process that ends or restarts its replicas serves no more, until it says READY again."""
    async with ears(1) as (ear,):
        tell(ear, READY)
        assert await heard(ear, ready=True)
        tell(ear, state)
        assert await heard(ear, ready=False)
        tell(ear, READY)
        assert await heard(ear, ready=True)


async def test_several_lines() -> None:
    """READY is found among other lines of a message, as the protocol has it."""
    async with ears(1) as (ear,):
        tell(ear, f"STATUS=warm\n{READY}\nMAINPID=1")
        assert await heard(ear, ready=True)


@pytest.mark.parametrize("message", [b"READY=0", b"XREADY=1", b"READY=11", b"", b"\xff\xfe"])
async def test_other_messages(message: bytes) -> None:
    """What is no state, or no text, changes nothing."""
    async with ears(1) as (ear,):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message, str(ear.path))
        await asyncio.sleep(0.05)
        assert not ear.ready.is_set()


async def test_sockets_end_with_the_block() -> None:
    """No socket is left behind."""
    async with ears(2) as found:
        paths = [ear.path for ear in found]
        assert [path.is_socket() for path in paths] == [True, True]
    assert [path.parent.exists() for path in paths] == [False, False]


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}])
def test_nobody_asked(environ: dict[str, str]) -> None:
    """Where nobody asked, telling is no error."""
    notify(READY, environ)
    assert environ.get(VARIABLE, "") == ""


@pytest.mark.parametrize("path", ["gone", "n" * 200])
def test_nobody_listens(tmp_path: Path, path: str) -> None:
    """Where whoever asked is gone, or asked by what is no address, telling is no error."""
    notify(READY, {VARIABLE: str(tmp_path / path)})
    assert list(tmp_path.iterdir()) == []


def test_nobody_reads(tmp_path: Path) -> None:
    """One that listens and never reads holds nobody up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        started = time.monotonic()
        for _ in range(2_000):  # more than any queue holds
            notify(READY, {VARIABLE: str(tmp_path / "deaf")})
        assert time.monotonic() - started < 5


def test_abstract_socket() -> None:
    """A path that begins with @ is a socket without a file, as systemd may give it."""
    name = f"bookmesh-test-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        notify(READY, {VARIABLE: f"@{name}"})
        assert listening.recv(100) == READY.encode()
