"""Tiny processes that stand for replicas: they do what a replica does, and write down what they have done."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mesh.hosting.notify import Ear

REPLICA = """
import os, pathlib, signal, socket, sys, time
name, home = sys.argv[1], pathlib.Path(sys.argv[2])

def note(what):
    with (home / "story").open("a") as file:
        file.write(f"{what} {name} {os.getpid()}\\n")

def end(*_):
    if not (home / f"{name}.stubborn").exists():
        note("ends")
        os._exit(0)

signal.signal(signal.SIGTERM, end)
note("starts")
if (home / f"{name}.broken").exists():
    sys.exit(3)
if not (home / f"{name}.mute").exists():
    note("serves")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    time.sleep(60)
"""


def line(name: str, home: Path) -> list[str]:
    """The command line of a process that does what a replica does, and writes it down."""
    return [sys.executable, "-S", "-c", REPLICA, name, str(home)]


def story(home: Path) -> list[str]:
    """What the replicas have done, in order: "starts a1"."""
    path = home / "story"
    return [" ".join(each.split()[:2]) for each in path.read_text().splitlines()] if path.exists() else []


def pids(home: Path, name: str) -> list[int]:
    """The processes of one replica, the first first."""
    lines = (each.split() for each in (home / "story").read_text().splitlines())
    return [int(pid) for what, who, pid in lines if (what, who) == ("starts", name)]


async def until(condition: Callable[[], Any]) -> None:
    """Waits until a condition is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what other processes do has no event
            await asyncio.sleep(0.01)


class Teller(Ear):
    """An ear that remembers everything it was told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.told: list[str] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One message."""
        self.told.append(data.decode())
