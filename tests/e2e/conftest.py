"""A deployment of its own for each test: free ports, data in a temporary directory, real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

PORT = re.compile(r"127\.0\.0\.1:(\d+)")


@dataclass
class Deployment:
    """An address book like the project's own, with other ports and other data."""

    book: Path
    data: Path
    ports: dict[str, int]
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, folder: Path) -> "Deployment":
        """One without keys, so with the sandbox, below a folder."""
        text = (ROOT / "mesh.toml").read_text()
        known = sorted(set(PORT.findall(text)))
        ports = dict(zip(known, free_ports(len(known)), strict=True))
        text = PORT.sub(lambda found: f"127.0.0.1:{ports[found[1]]}", text)
        book, data = folder / "mesh.toml", folder / ".bookmesh"
        book.write_text(text.replace('manifest = "', f'manifest = "{ROOT}/'))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ISBNDB", "BOOKMESH"))}
        environ = {**kept, "BOOKMESH_BOOK": str(book), "BOOKMESH_DATA": str(data), "COLUMNS": "160"}
        return cls(book, data, ports, environ)

    def address(self, port: str) -> str:
        """Where the service listens that the project's own address book puts on this port."""
        return f"127.0.0.1:{self.ports[port]}"

    def run(self, *arguments: str, timeout: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs the bookmesh command to its end."""
        command = [sys.executable, "-m", "clients.cli", *arguments]
        environ = {**self.environ, **more}
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=timeout, check=False
        )

    @contextmanager
    def up(self, *arguments: str, env: str = "") -> Iterator[subprocess.Popen[str]]:
        """Runs `bookmesh up` until the block ends, and waits for a healthy deployment."""
        arguments = (*arguments, "--env", env) if env else arguments
        command = [sys.executable, "-m", "clients.cli", "up", *arguments]
        log = self.data.parent / "up.log"
        with log.open("w") as file:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=file, stderr=file, text=True)
            try:
                assert eventually(lambda: self.run("health", *arguments[-2:] if env else ()).returncode == 0, 45), (
                    log.read_text()
                )
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                finally:
                    process.kill()
                    process.wait(10)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A deployment without keys, so with the sandbox."""
    return Deployment.made(tmp_path)


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def children(of: int) -> list[int]:
    """Every process below one, as /proc tells it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    queue = [of]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


def command_of(pid: int) -> str:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
