"""Addresses that are taken, and by whom: the only place that reads the kernel's tables of sockets."""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mesh.config.address import Address

_LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp, of the kernel's include/net/tcp_states.h."""

_OURS = ("mesh.cli", "clients.cli", "bookmesh")
"""How a program that runs a deployment is called."""


class Place(Enum):
    """What an address is to whoever wants to listen there."""

    FREE = "free"
    TAKEN = "taken"
    ELSEWHERE = "elsewhere"
    """It is no address of this machine."""
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has an address."""

    pid: int
    program: str
    """What runs, without its arguments: those may be secret."""

    def is_ours(self) -> bool:
        """Whether it runs a deployment, this one or another."""
        return any(word in self.program for word in _OURS)

    def __str__(self) -> str:
        """As people read it."""
        return f"process {self.pid} ({self.program})"


def look(address: Address) -> Place:
    """What an address is, found out by listening on it for a moment."""
    if address.kind == "unix":
        return _look_at_socket(address.target.removeprefix("unix:"))
    host, _, port = address.target.rpartition(":")
    if int(port) == 0:
        return Place.FREE
    try:
        (family, kind, protocol, _, where), *_ = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind, protocol) as probe:
            # As gRPC does, so that connections that linger after their end are in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            # Two may bind the same port this way, and only one may listen.
            probe.listen(1)
    except PermissionError:
        return Place.FORBIDDEN
    except OSError as failure:
        return Place.TAKEN if failure.errno == errno.EADDRINUSE else Place.ELSEWHERE
    return Place.FREE


def _look_at_socket(path: str) -> Place:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except TimeoutError:
            return Place.TAKEN
        except PermissionError:
            return Place.FORBIDDEN
        except OSError:
            return Place.FREE
    return Place.TAKEN


def holder(port: int, proc: Path = Path("/proc")) -> Holder | None:
    """Who listens on a TCP port, as far as /proc tells this user; None otherwise."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(proc / "net" / table, port)}
    if not inodes:
        return None
    for folder in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for link in (folder / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(link) in inodes:  # noqa: PTH115 - its answer is no path
                        return Holder(int(folder.name), _program((folder / "cmdline").read_bytes()))
    return None


def _listening(table: Path, port: int) -> list[str]:
    """The inodes of the sockets that listen on a port; the columns are those of proc_net_tcp(5)."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    fields = [line.split() for line in lines]
    return [each[9] for each in fields if each[3] == _LISTEN and int(each[1].rpartition(":")[2], 16) == port]


def _program(cmdline: bytes) -> str:
    """A command line as far as it names a program: an interpreter with its module or script, or the program alone."""
    words = [word.decode(errors="replace") for word in cmdline.split(b"\0") if word]
    if not words:
        return "?"
    name = Path(words[0]).name
    if name.startswith("python") and len(words) > 1:
        what = words[2] if words[1] == "-m" and len(words) > 2 else Path(words[1]).name  # noqa: PLR2004 - the word after -m
        return name if what.startswith("-") else f"{name} {what}"
    return name
