"""Readiness as sd_notify(3) tells it: what is heard, and that nobody is needed to hear it."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from mesh.notify import READY, RELOADING, STOPPING, VARIABLE, Ear, ears, notify


async def settle() -> None:
    """Lets what was sent arrive."""
    for _ in range(5):
        await asyncio.sleep(0.005)


async def test_what_is_heard() -> None:
    """An ear is ready between READY and STOPPING, and each hears its own process alone."""
    async with ears(2) as (first, second):
        states = []
        for said in (READY, STOPPING, f"STATUS=well\n{READY}", RELOADING, "WATCHDOG=1"):
            notify(said, {VARIABLE: os.fspath(first.path)})
            await settle()
            states.append((first.ready.is_set(), second.ready.is_set()))
    assert states == [(True, False), (False, False), (True, False), (False, False), (False, False)]


@pytest.mark.parametrize("path", ["", "/nowhere/at/all", f"/{'long' * 100}"])
def test_nobody_hears(path: str) -> None:
    """A process that nobody asked, or whose asker is gone, goes on."""
    notify(READY, {VARIABLE: path} if path else {})


def test_bytes_that_are_no_text() -> None:
    """What is no text tells nothing, and breaks nothing."""
    ear = Ear(Path("/x"))
    ear.datagram_received(b"\xff\xfe\n", None)
    assert not ear.ready.is_set()


def test_abstract_socket() -> None:
    """Systemd's abstract sockets, which begin with an "@", are reached."""
    name = f"bookmesh-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        notify(READY, {VARIABLE: f"@{name}"})
        assert listening.recv(100) == READY.encode()
