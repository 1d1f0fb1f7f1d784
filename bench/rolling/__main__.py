"""The command: `python -m bench.rolling` restarts two replicas of books and of the leaf under load, and counts."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.rolling.house import RollingError, running
from bench.rolling.load import Load, rounds
from clients.connect import connect
from mesh.status import MeshError

ROUNDS = 3
CALLS = 10_000
PACE = 200
_MOST = 100_000


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when no call failed, 1 when one did or the services would not run.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__)
    parser.add_argument("--rounds", type=int, choices=range(1, 11), default=ROUNDS, help="default: %(default)s")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls at least (default: %(default)s)")
    parser.add_argument("--pace", type=int, default=PACE, help="calls a second (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else")
    options = parser.parse_args(arguments)
    if not (0 < options.calls <= _MOST and 0 < options.pace <= _MOST):
        parser.error(f"calls and pace are from 1 to {_MOST}")
    try:
        report = asyncio.run(measured(options.rounds, options.calls, options.pace))
    except (RollingError, MeshError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(report, indent=2) if options.json else told(report))
    return 1 if report["failed"] else 0


async def measured(count: int, calls: int, pace: float) -> dict[str, object]:
    """Runs it once.

    Args:
        count: rounds; in each, every replica is restarted.
        calls: calls that are made at least.
        pace: calls a second.

    Raises:
        RollingError: the services did not start, or did not restart.
    """
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        async with running(Path(folder)) as house, connect(house.book) as services:
            load = Load(services, pace)
            await load.warm_up()
            before, started = house.started, time.monotonic()
            await rounds(load, count=count, calls=calls, roll=house.roll)
            outcome = load.outcome
            return {
                "rounds": count,
                "restarts": house.started - before,
                "seconds": round(time.monotonic() - started, 1),
                "calls": len(outcome.times_s),
                "failed": sum(outcome.failures.values()),
                "failures": dict(outcome.failures),
                "p50_ms": round(outcome.quantile_s(0.5) * 1000, 1),
                "p99_ms": round(outcome.quantile_s(0.99) * 1000, 1),
                "max_ms": round(outcome.quantile_s(1) * 1000, 1),
            }


def told(report: dict[str, object]) -> str:
    """The report for people."""
    lines = [
        "rolling restart under load: two replicas of books, two of the leaf, one after the other",
        "{restarts} restarts in {rounds} rounds, {seconds} s".format(**report),
        "{calls} calls, {failed} failed".format(**report),
        "p50 {p50_ms} ms, p99 {p99_ms} ms, longest {max_ms} ms".format(**report),
    ]
    failures = report["failures"]
    if isinstance(failures, dict):
        lines += [f"  {number} x {what}" for what, number in failures.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
