"""Whether people call is known to one process, or to all that were started together."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from mesh.company import LASTS_S, VARIABLE, Company, joined, shared
from mesh.testing import FakeClock

MEETING = """
import os, time
from mesh.company import joined
company = joined(os.environ)
while True:
    company.meet()
    time.sleep(0.01)
"""


def until(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time."""
    ends = time.monotonic() + 20
    while not (found := condition()) and time.monotonic() < ends:
        time.sleep(0.01)
    return found


def test_company_lasts_a_moment() -> None:
    """People are there for a moment after one has called, and nobody is before."""
    clock = FakeClock()
    company = Company(clock=clock)
    seen = [company.is_there]
    company.meet()
    for _ in range(2):
        seen.append(company.is_there)
        clock.advance(LASTS_S)
    assert [*seen, company.is_there] == [False, True, False, False]


def test_processes_with_the_same_memory_share_company() -> None:
    """Calls that one process meets are known to another that was started with the same memory, while they go on."""
    with shared() as memory:
        environ = {VARIABLE: str(memory)}
        here = joined(environ)
        assert not here.is_there
        line = [sys.executable, "-c", MEETING]
        with subprocess.Popen(line, env={**os.environ, **environ}, pass_fds=[memory]) as process:
            met = until(lambda: here.is_there)
            process.kill()
        assert (met, until(lambda: not here.is_there)) == (True, True)
        here.rest_until(7.0)
        assert joined(environ).rests_until == 7.0


def test_a_process_started_alone_has_its_own() -> None:
    """A process that was given no memory knows of its own calls alone, whatever its environment says."""
    with tempfile.TemporaryFile() as empty:
        said = [{}, {VARIABLE: ""}, {VARIABLE: "no number"}, {VARIABLE: "1000000"}, {VARIABLE: str(empty.fileno())}]
        first, *others = [joined(environ) for environ in said]
    first.meet()
    assert (first.is_there, [each.is_there for each in others]) == (True, [False] * 4)


def test_the_memory_outlives_its_descriptor() -> None:
    """What has joined goes on to share when the descriptor is closed."""
    with shared() as memory:
        one, other = joined({VARIABLE: str(memory)}), joined({VARIABLE: str(memory)})
    one.meet()
    assert other.is_there
