"""Clocks that disagree: the only place that compares this process's clock with others."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh.call import Clock
from mesh.doctor.finding import Finding, error, warning

TOLERANCE_S = 2.0
"""Seconds that two clocks may be apart: some file systems keep whole or even seconds (FAT has 2)."""

GRAVE_S = 60.0
"""Seconds apart from which triggers fire in the wrong minute, and certificates are refused."""

JUMP_S = 0.05
"""Seconds by which the wall clock may gain on the monotonic one meanwhile; NTP slews by 0.5 ms a second at most."""

WATCHED_S = 0.25
"""Seconds for which the wall clock is watched."""

_SYNC = "Synchronize the clock of both machines (NTP)."


def jumps(wall: Clock, monotonic: Clock, sleep: Callable[[float], None]) -> Iterator[Finding]:
    """A wall clock that is being set while it is looked at."""
    before = wall() - monotonic()
    sleep(WATCHED_S)
    jumped = wall() - monotonic() - before
    if abs(jumped) > JUMP_S:
        what = f"the wall clock jumped by {jumped:+.2f} s within {WATCHED_S} s."
        yield warning("clock", what, "Let one program alone set the clock, and let it slew.")


def from_the_future(paths: Iterable[Path], now: float) -> Iterator[Finding]:
    """Files that were changed later than now: the clock was set back, or is not set at all."""
    times = []
    for path in paths:
        try:
            times.append((path.stat().st_mtime, path))
        except OSError:
            continue
    newest, path = max(times, default=(0.0, Path()))
    if newest > now + TOLERANCE_S:
        said = datetime.fromtimestamp(now, UTC).isoformat(sep=" ", timespec="seconds")
        what = f"the clock says {said}, and {path} was changed {newest - now:.0f} s later than that."
        yield _apart(newest - now, what, "Set the clock of this machine, or touch the file.")


def apart(name: str, theirs: float, ours: float) -> Iterator[Finding]:
    """Another clock that is not this one's.

    Args:
        name: whose clock it is, such as "the key-value server".
        theirs: what it said, in seconds since the epoch.
        ours: what the clock here said at that moment.
    """
    if abs(theirs - ours) > TOLERANCE_S:
        word = "ahead of" if theirs > ours else "behind"
        yield _apart(abs(theirs - ours), f"{name} is {abs(theirs - ours):.1f} s {word} this process's clock.", _SYNC)


def _apart(seconds: float, what: str, mend: str) -> Finding:
    return (error if seconds > GRAVE_S else warning)("clock", what, mend)


def zone(name: str | None) -> Iterator[Finding]:
    """A time zone that the system does not know, which it takes for UTC without a word; TZ as tzset(3) reads it."""
    key = (name or "").removeprefix(":")
    # A rule such as CET-1CEST has its zone's difference in digits; names of zones hardly ever have.
    if not key or any(character.isdigit() for character in key) or os.path.isabs(key):  # noqa: PTH117 - no path yet
        return
    try:
        ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what = f"TZ is {key!r}, which is no zone that is known here, so local times are silently UTC."
        yield warning("clock", what, "Correct TZ, or unset it; the mesh itself reckons in UTC.")
