"""Tells whoever started a process that it is ready: the only place that speaks the protocol of sd_notify(3).

The supervisor listens to its services this way, and systemd to both. It needs no address, no certificate and no call,
so that it works before, and whatever, a service listens on.
"""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

VARIABLE = "NOTIFY_SOCKET"
"""Where a process finds the socket of the one that started it."""

READY = "READY=1"
"""It serves."""

RELOADING = "RELOADING=1"
"""It restarts its replicas one after the other; READY follows."""

STOPPING = "STOPPING=1"
"""It drains."""


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Tells a state to whoever asked for it, and nobody when nobody did.

    Args:
        state: READY, RELOADING or STOPPING.
        environ: the process's environment.
    """
    path = environ.get(VARIABLE, "")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)  # never waits for one that does not read
        try:
            # systemd may give an abstract socket, which has a zero where "@" stands.
            sender.sendto(state.encode(), f"\0{path[1:]}" if path.startswith("@") else path)
        except OSError:
            # Whoever asked is gone, or does not listen; that is no reason to fail.
            return


class Ear(asyncio.DatagramProtocol):
    """Hears what one process tells.

    Args:
        path: the socket, as the process gets it in VARIABLE.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ready = asyncio.Event()
        """Set while the process serves."""

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        """Takes one message."""
        said = data.decode(errors="replace").splitlines()
        if READY in said:
            self.ready.set()
        elif STOPPING in said or RELOADING in said:
            self.ready.clear()


def _itself(ear: Ear) -> Ear:
    return ear


@asynccontextmanager
async def ears(count: int) -> AsyncIterator[list[Ear]]:
    """Sockets for so many processes, until the block ends."""
    loop = asyncio.get_running_loop()
    # Not in the data directory: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        found = [Ear(Path(folder) / str(index)) for index in range(count)]
        transports = []
        try:
            for ear in found:
                transport, _ = await loop.create_datagram_endpoint(
                    partial(_itself, ear),
                    local_addr=os.fspath(ear.path),
                    family=socket.AF_UNIX,
                )
                transports.append(transport)
            yield found
        finally:
            for transport in transports:
                transport.close()
