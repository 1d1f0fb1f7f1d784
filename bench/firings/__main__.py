"""Lives through sixty days with four replicas whose clocks differ, and counts how often a daily trigger fires.

The replicas share a real Valkey server; only time is simulated. In further courses replicas are killed at random
moments and started again, all are down at once, and the server is away.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog
from rich import box
from rich.table import Table

from bench.firings.courses import APART_S, COURSES, LINE, Course, live
from bench.firings.judging import Count
from bench.table import console
from mesh.hosting.embedded import EmbeddedError, embedded_valkey
from mesh.logs import log_to_stderr
from mesh.stores.redis_kv import RedisKv

DAYS, REPLICAS, SEED = 60, 4, 5

_BOUNDS = (("days", 4, 1_000), ("replicas", 1, 16))
"""What the load may be; the outage alone takes three days."""


async def measured(days: int, replicas: int, seed: int, courses: Sequence[Course] = COURSES) -> list[Count]:
    """Lives through each course on a server of its own.

    Raises:
        EmbeddedError: the server does not start.
    """
    counts = []
    for course in courses:
        with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
            async with embedded_valkey(Path(folder)) as url:

                def connect(url: str = url) -> RedisKv:
                    return RedisKv(url, "warming")

                counts.append(await live(course, connect, days=days, replicas=replicas, seed=seed))
    return counts


def table(counts: Sequence[Count], days: int, replicas: int) -> Table:
    """What was counted, for people."""
    title = f"{LINE}, {replicas} replicas with clocks {APART_S:g} s apart, {days} simulated days, one Valkey"
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("what happens")
    for heading in ("due", "expected", "fired", "twice", "overlapping", "lost", "made up", ""):
        shown.add_column(heading, justify="right")
    for course, found in zip(COURSES, counts, strict=True):
        expected = course.expected(days)
        figures = (found.due, expected, found.fired, found.twice, found.overlapping, found.lost, found.made_up)
        verdict = "[green]met" if found.is_met(expected) else "[red]missed"
        shown.add_row(course.title, *map(str, figures), verdict)
    shown.caption = "lost: died with its replica; made up: for those, and for what was due while nobody could fire"
    return shown


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when every course came out as expected, else 1. Bad arguments end the process with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.firings", description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS, help="simulated days (default: %(default)s)")
    parser.add_argument("--replicas", type=int, default=REPLICAS, help="replicas (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of all that is random (default: %(default)s)")
    options = parser.parse_args(arguments)
    for name, least, most in _BOUNDS:
        if not least <= getattr(options, name) <= most:
            parser.error(f"--{name} is from {least} to {most}")
    log_to_stderr()
    # Each firing is told, and each that is lost; here they are counted.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        counts = asyncio.run(measured(options.days, options.replicas, options.seed))
    except EmbeddedError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    console().print(table(counts, options.days, options.replicas))
    return (
        0
        if all(each.is_met(course.expected(options.days)) for course, each in zip(COURSES, counts, strict=True))
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
