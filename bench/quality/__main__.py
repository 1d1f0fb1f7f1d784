"""The command: `python -m bench.quality` searches for a catalogue's books in every way, and counts right answers."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.quality.asking import Outcome, outcomes
from bench.quality.house import HouseError, running
from bench.quality.probes import probes
from bench.quality.report import console, missed, misses, report, show
from mesh.logs import log_to_stderr
from sandbox.catalog import LOC
from sandbox.shelf import CatalogueError, read

SAMPLE = 400
_MOST = 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when every figure is met, 1 when one is missed or the services would not run. Bad arguments end the process
        with 2.
    """
    options = _options(arguments)
    log_to_stderr(quiet=True)
    try:
        told, found = asyncio.run(measured(options.catalog, options.sample, options.seed, options.only))
    except (HouseError, CatalogueError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        show(told, misses(found, options.show), console())
    return 1 if missed(told) else 0


async def measured(
    catalogue: Path, count: int, seed: int, only: str = ""
) -> tuple[Mapping[str, Any], Sequence[Outcome]]:
    """Runs it once.

    Args:
        catalogue: a CSV as the sandbox reads it.
        count: searches of each case at most.
        seed: decides which.
        only: cases whose names hold this alone.

    Raises:
        HouseError: the services did not start.
        CatalogueError: the catalogue is none.
    """
    books = read(catalogue)
    asked = [probe for probe in probes(books, count, seed) if only in probe.case]
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        async with running(Path(folder), catalogue) as services:
            started = time.monotonic()
            found = await outcomes(services.books, asked)
            seconds = time.monotonic() - started
    return report(found, catalogue=catalogue.name, books=len(books), seed=seed, seconds=seconds), found


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality",
        description="Searches for the books of a catalogue in every way, and counts how often the answer is right.",
    )
    parser.add_argument("--catalog", type=Path, default=LOC, help="CSV with titles, authors and ISBNs")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="searches of each case (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="decides which books are sought (default: %(default)s)")
    parser.add_argument("--only", default="", help="cases whose names hold this text")
    parser.add_argument("--show", type=int, default=0, help="wrong answers that are told of each case")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else")
    options = parser.parse_args(arguments)
    if not 0 < options.sample <= _MOST:
        parser.error(f"--sample is from 1 to {_MOST}")
    return options


if __name__ == "__main__":
    sys.exit(main())
