"""The command: `python -m bench.rolling` restarts two replicas of books and of the leaf under load, and counts."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.rolling.callers import callers
from bench.rolling.house import SETTLE_S, RollingError, running
from bench.rolling.load import Load, isbns, rounds
from bench.rolling.report import console, failed, report, show
from mesh.status import MeshError

ROUNDS = 3
CALLS = 10_000
PACE = 200
_MOST_ROUNDS = 100
_MOST_CALLS = 1_000_000
_MOST_PACE = 2_000


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when no call failed, 1 when one did or the services would not run. Bad arguments end the process with 2.
    """
    options = _options(arguments)
    try:
        told = asyncio.run(measured(options.rounds, options.calls, options.pace))
    except (RollingError, MeshError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        show(told, console())
    return 1 if failed(told) else 0


async def measured(count: int, calls: int, pace: float, *, settle_s: float = SETTLE_S) -> Mapping[str, Any]:
    """Runs it once.

    Args:
        count: rounds; in each, every replica is restarted.
        calls: calls that are made at least.
        pace: calls a second.
        settle_s: seconds between one replica's return and the end of the next.

    Raises:
        RollingError: the services did not start, or did not restart.
        MeshError: they did not answer before it began.
    """
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        async with running(Path(folder), settle_s=settle_s) as house, callers(house.book) as found:
            load = Load(found, pace, isbns())
            await load.warm_up()
            started = time.monotonic()
            try:
                await rounds(load, count=count, calls=calls, roll=house.roll)
            except* RollingError as group:
                raise group.exceptions[0] from None
            return report(found, rounds=count, restarts_s=house.restarts_s, seconds=time.monotonic() - started)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.rolling",
        description="Restarts two replicas of books and two of the leaf one after the other under load, and counts.",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls at least (default: %(default)s)")
    parser.add_argument("--pace", type=int, default=PACE, help="calls a second (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else")
    options = parser.parse_args(arguments)
    for name, most in (("rounds", _MOST_ROUNDS), ("calls", _MOST_CALLS), ("pace", _MOST_PACE)):
        if not 0 < getattr(options, name) <= most:
            parser.error(f"--{name} is from 1 to {most}")
    return options


if __name__ == "__main__":
    sys.exit(main())
