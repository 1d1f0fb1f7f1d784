"""The doctor on clocks: jumps, files from the future, other machines' clocks, and time zones."""

import os
import time
from pathlib import Path

import pytest

from mesh.doctor.clocks import apart, from_the_future, jumps, zone
from mesh.testing import FakeClock


@pytest.mark.parametrize(("jump", "expected"), [(0.0, 0), (0.02, 0), (0.2, 1), (-3600.0, 1)])
def test_jump(jump: float, expected: int) -> None:
    """A wall clock that moves otherwise than time passes is seen."""
    wall, monotonic = FakeClock(), FakeClock()

    def sleep(seconds: float) -> None:
        wall.advance(seconds + jump)
        monotonic.advance(seconds)

    assert len([*jumps(wall, monotonic, sleep)]) == expected


def test_real_clocks_do_not_jump() -> None:
    """The clocks of a machine that is well do not jump."""
    assert [*jumps(time.time, time.monotonic, time.sleep)] == []


@pytest.mark.parametrize(
    ("ahead", "expected"), [(-10.0, []), (1.0, []), (30.0, ["warning"]), (86_400.0 * 365, ["error"])]
)
def test_file_from_the_future(tmp_path: Path, ahead: float, expected: list[str]) -> None:
    """A file that was changed later than now says that the clock was set back."""
    path, now = tmp_path / "mesh.toml", time.time()
    path.touch()
    os.utime(path, (now + ahead, now + ahead))
    found = [*from_the_future([path, tmp_path / "not there"], now)]
    assert [each.severity.value for each in found] == expected


def test_no_file() -> None:
    """Without a file there is nothing to compare with."""
    assert [*from_the_future([], 0.0)] == []


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        (1000.5, []),
        (1005.0, [("warning", "the server is 5.0 s ahead of this process's clock.")]),
        (900.0, [("error", "the server is 100.0 s behind this process's clock.")]),
    ],
)
def test_apart(theirs: float, expected: list[tuple[str, str]]) -> None:
    """A clock that differs by seconds is a warning, by minutes an error."""
    assert [(each.severity.value, each.what) for each in apart("the server", theirs, 1000.0)] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, 0) for name in (None, "", "UTC", "Europe/Berlin", ":Europe/Berlin", "CET-1CEST", "/etc/localtime")),
        *((name, 1) for name in ("Europe/Berlim", "Nowhere")),
    ],
)
def test_zone(name: str | None, expected: int) -> None:
    """A time zone that nobody knows is a warning, for the system silently takes UTC."""
    assert len([*zone(name)]) == expected
