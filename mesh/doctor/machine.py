"""What the machine gives: room, permissions, open files, and what earlier runs left behind."""

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mesh.doctor.clocks import apart
from mesh.doctor.finding import Finding, error, warning

FEW_BYTES = 1024**3
"""Bytes of free room below which a warning is due: a few large libraries, and an append-only file being rewritten."""

NO_BYTES = 64 * 1024**2
"""Bytes of free room below which writes are about to fail; one upload may have as many."""

FEW_FILES = 1024
"""Files that a process should be able to open: each client, each store and each call to a provider takes one."""

Usage = Callable[[Path], int]
"""Bytes that are free where a path is."""


def free_bytes(path: Path) -> int:
    """Bytes that are free where a path is."""
    return shutil.disk_usage(path).free


def data_directory(path: Path, clock: Callable[[], float], free: Usage = free_bytes) -> Iterator[Finding]:
    """Whether the data directory, or the one that it will be made in, can be written to, and has room.

    Args:
        path: the data directory, absolute.
        clock: seconds since the epoch.
        free: how much room there is.
    """
    place = next(parent for parent in (path, *path.parents) if parent.exists())
    mend = "Give it to the user who runs bookmesh, or set BOOKMESH_DATA."
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".bookmesh-doctor-") as probe:
            probe.write(b"probe")
            probe.flush()
            written, now = os.fstat(probe.fileno()).st_mtime, clock()
    except OSError as failure:
        yield error("data", f"{path} can't be written to: {failure.strerror}.", mend)
        return
    yield from apart(f"the file system of {place}", written, now)
    room = free(place)
    if room < FEW_BYTES:
        what = f"{place} has {room / 1024**2:.0f} MB of free room."
        yield (error if room < NO_BYTES else warning)("disk", what, "Make room, or set BOOKMESH_DATA to another disk.")


def open_files(limit: int) -> Iterator[Finding]:
    """Whether this process may open enough files; a negative limit is none."""
    if 0 <= limit < FEW_FILES:
        what = f"a process may open {limit} files here, and {FEW_FILES} are a good beginning."
        yield warning("open-files", what, f"Run `ulimit -n {FEW_FILES * 4}` before, or raise the service's limit.")


def stale_sockets(paths: Iterable[Path]) -> Iterator[Finding]:
    """Sockets that nobody listens on, and files in the place of sockets."""
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if not stat.S_ISSOCK(mode):
            what = f"{path} should be a socket, and is another kind of file."
            yield error("socket", what, "Move it away, or put the socket elsewhere.")
        elif not _answers(path):
            what = f"{path} is a socket that nobody listens on; its process did not end in order."
            yield warning("socket", what, f"Remove it, unless its service is about to start: rm {path}")


def stale_process_files(directory: Path) -> Iterator[Finding]:
    """PID files below a directory whose process is gone."""
    for path in sorted(directory.glob("**/*.pid")):
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            text = ""
        if not (text.isdecimal() and Path(f"/proc/{text}").exists()) and Path("/proc/self").exists():
            yield warning("pid-file", f"{path} names no process that runs.", f"Remove it: rm {path}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except TimeoutError:
            return True
        except OSError:
            return False
        return True
