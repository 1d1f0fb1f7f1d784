"""The doctor on the machine: the data directory, room, open files, and what earlier runs left behind."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mesh.doctor.machine import (
    FEW_FILES,
    data_directory,
    open_files,
    stale_process_files,
    stale_sockets,
)


def test_data_directory_that_is_well(tmp_path: Path) -> None:
    """A directory that can be written to has no finding, and nothing is left in it."""
    assert ([*data_directory(tmp_path, time.time, lambda _: 10**12)], [*tmp_path.iterdir()]) == ([], [])


def test_data_directory_still_to_be_made(tmp_path: Path) -> None:
    """A directory that is not there yet is judged by the one that it will be made in, and is not made."""
    path = tmp_path / "a" / "b"
    assert ([*data_directory(path, time.time, lambda _: 10**12)], path.parent.exists()) == ([], False)


@pytest.mark.parametrize("place", ["/proc/bookmesh", "/dev/null/bookmesh"])
def test_data_directory_that_cannot_be(place: str) -> None:
    """A directory where nobody may write is an error; not even root may there."""
    (found,) = data_directory(Path(place), time.time)
    assert (found.severity.value, found.what.startswith(f"{place} can't be written to: ")) == ("error", True)


@pytest.mark.parametrize(("free", "expected"), [(10**12, []), (500 * 10**6, ["warning"]), (10**6, ["error"])])
def test_room(tmp_path: Path, free: int, expected: list[str]) -> None:
    """Little room is a warning, next to none an error."""
    found = data_directory(tmp_path, time.time, lambda _: free)
    assert [(each.check, each.severity.value) for each in found] == [("disk", each) for each in expected]


def test_file_system_with_another_clock(tmp_path: Path) -> None:
    """A file system whose clock is not ours is told, as network file systems have it."""
    (found,) = data_directory(tmp_path, lambda: time.time() - 3600, lambda _: 10**12)
    assert (found.check, "the file system of" in found.what, "ahead of" in found.what) == ("clock", True, True)


@pytest.mark.parametrize(("limit", "count"), [(FEW_FILES, 0), (FEW_FILES - 1, 1), (64, 1), (-1, 0)])
def test_open_files(limit: int, count: int) -> None:
    """A low limit of open files is a warning, no limit is none."""
    assert len([*open_files(limit)]) == count


def test_sockets(tmp_path: Path) -> None:
    """A socket that nobody listens on is stale; one that lives, and one that is not there, are not."""
    alive, stale, file = (tmp_path / name for name in ("alive", "stale", "file"))
    file.touch()
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as closed:
        listening.bind(os.fspath(alive))
        listening.listen()
        closed.bind(os.fspath(stale))
        closed.close()
        found = [*stale_sockets([alive, stale, file, tmp_path / "none"])]
    assert [(each.severity.value, each.what.split()[0]) for each in found] == [
        ("warning", str(stale)),
        ("error", str(file)),
    ]


def test_process_files(tmp_path: Path) -> None:
    """A PID file whose process has ended is stale, as is one without a PID; one of a process that runs is not."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(30)
    for name, text in (("mine", f"{os.getpid()}\n"), ("ended", str(ended.pid)), ("none", "what")):
        (tmp_path / f"{name}.pid").write_text(text)
    assert [Path(each.what.split()[0]).name for each in stale_process_files(tmp_path)] == ["ended.pid", "none.pid"]
