"""The command: `python -m bench` measures and prints the tables, `--json` the figures alone."""

import argparse
import asyncio
import sys
from typing import Any

import orjson
from rich.console import Console
from rich.progress import Progress

from bench.contest import IN_FLIGHT, WrongAnswerError, hold
from bench.process import ServerError
from bench.report import report
from bench.table import console, show

ROUNDS = 9
CALLS = 240
_MOST_ROUNDS = 100
_MOST_CALLS = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when all was measured, whatever came of it; 1 when a rival would not run or answered something else. Bad
        arguments end the process with 2.
    """
    options = _options(arguments)
    progress = Progress(console=Console(stderr=True), transient=True)
    try:
        with progress:
            task = progress.add_task("measuring", total=options.rounds + 1)
            contest = asyncio.run(
                hold(rounds=options.rounds, calls=options.calls, passed=lambda _: progress.advance(task))
            )
    except (ServerError, WrongAnswerError, TimeoutError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    told = report(contest, rounds=options.rounds, calls=options.calls)
    if options.json:
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        show(told, console())
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures a binding beside what one would write instead."
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else")
    parser.add_argument("--rounds", type=_between(1, _MOST_ROUNDS), default=ROUNDS, help="default: %(default)s")
    parser.add_argument(
        "--calls",
        type=_between(max(IN_FLIGHT), _MOST_CALLS),
        default=CALLS,
        help="calls of each measurement, in process 20 times as many (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _between(least: int, most: int) -> Any:
    """Reads a whole number from least to most."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(main())
