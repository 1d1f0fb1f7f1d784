"""The command: `python -m tests.fuzz` sends mutated requests to every method and fails on what must not happen."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.fuzz.attack import Outcome, attack
from tests.fuzz.house import under_fire
from tests.fuzz.report import told

REQUESTS = 100_000
_MOST = 10_000_000


def main(arguments: list[str] | None = None) -> int:
    """Sends them.

    Returns:
        0 when nothing broke and the memory stayed flat, else 1.
    """
    options = _options(arguments)

    async def run(folder: Path, progress: Progress) -> Outcome:
        task = progress.add_task("sending", total=options.requests)
        async with under_fire(folder) as targets:
            return await attack(
                targets, requests=options.requests, seed=options.seed, passed=lambda: progress.advance(task)
            )

    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        outcome = asyncio.run(run(Path(folder), progress))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(told(outcome))
    return int(bool(outcome.faults) or outcome.growth_mib > outcome.growth_limit_mib)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Sends mutated requests to every method.")
    parser.add_argument("--requests", type=_count, default=REQUESTS, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="a seed and a number of requests name a run")
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1_000 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1000 to {_MOST}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
