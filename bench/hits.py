"""What a hit in the memory of books-api-proxy costs: over the wire beside a bare handler, and in process.

The wire is measured as `bench.overhead` measures it. In process the CPU time of both sides is taken together, in many
short rounds of which the lower tenth and the median are told: the tenth is what an undisturbed machine takes.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import time

from rich import box
from rich.table import Table

from bench.answer import Question, as_message, request
from bench.contest import WrongAnswerError
from bench.overhead import CALLERS, Overhead, Pair, compare
from bench.process import ServerError
from bench.rivals import Rival, bare_bytes, cached
from bench.table import console

WIRE_LIMIT = 1.25
"""The most that a hit may cost the server, as a multiple of the bare handler's CPU time."""

HERE_LIMIT_US = 40.0
"""The most that a hit with forty works may take through the binding in process, in microseconds."""

_BATCH = 50
"""Calls of one round in process: so few that some rounds are undisturbed on a shared machine."""


async def prove_hit(rival: Rival) -> None:
    """Asks for the forty works.

    Raises:
        WrongAnswerError: it gives others.
    """
    answer = rival.to_message(await rival.start(Question.FORTY)())
    if list(answer.results) != list(as_message(Question.FORTY).results):
        raise WrongAnswerError(f"{rival.title} does not answer what it is asked")


HIT = Pair(bare=bare_bytes.NAME, ours=cached.NAME, prove=prove_hit)
"""The same bytes, from a bare handler and out of the cache."""


async def in_process_us(rounds: int) -> tuple[float, float]:
    """Microseconds of CPU time of a hit through the binding in process: the lower tenth of all rounds, the median."""
    async with cached.here() as stub:
        asked = request(Question.FORTY)
        if list((await stub.SearchAuto(asked)).results) != list(as_message(Question.FORTY).results):
            raise WrongAnswerError("the binding does not answer what it is asked")
        costs = []
        for _ in range(rounds):
            gc.collect(0)
            started = time.process_time()
            for _ in range(_BATCH):
                await stub.SearchAuto(asked)
            costs.append((time.process_time() - started) / _BATCH * 1e6)
    return statistics.quantiles(costs, n=10)[0], statistics.median(costs)


def table(wire: list[Overhead], here: tuple[float, float]) -> Table:
    """What was measured, for people."""
    shown = Table(title="a hit in memory, 40 works, every layer on", title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("way")
    for heading in ("measured", "beside", "ratio", "expected", ""):
        shown.add_column(heading, justify="right")
    for each in wire:
        shown.add_row(
            f"server CPU over {each.transport}, called by a {each.caller}",
            f"{each.mesh_us:,.1f} us",
            f"{each.bare_us:,.1f} us",
            f"{each.ratio:.2f} x",
            f"{WIRE_LIMIT:g} x",
            _verdict(is_met=each.ratio <= WIRE_LIMIT),
        )
    tenth, median = here
    shown.add_row(
        "CPU through the binding in process, undisturbed",
        f"{tenth:.1f} us",
        f"median {median:.1f} us",
        "",
        f"{HERE_LIMIT_US:g} us",
        _verdict(is_met=tenth <= HERE_LIMIT_US),
    )
    return shown


def _verdict(*, is_met: bool) -> str:
    return "[green]met" if is_met else "[red]missed"


async def _all(options: argparse.Namespace) -> tuple[list[Overhead], tuple[float, float]]:
    wire = list[Overhead]()
    for transport in ("tcp", "unix"):
        wire += await compare(
            transport,
            sittings=options.sittings,
            rounds=options.rounds,
            calls=options.calls,
            in_flight=options.in_flight,
            pair=HIT,
            callers={"plain stub": CALLERS["plain stub"]},
            questions=(Question.FORTY,),
        )
    return wire, await in_process_us(options.rounds * options.sittings * 5)


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when all was measured, whatever came of it; 1 when a server would not run or answered something else. Bad
        arguments end the process with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.hits", description=__doc__)
    parser.add_argument("--sittings", type=int, default=6, help="starts of the servers (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=12, help="in each of these (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=160, help="calls of each measurement (default: %(default)s)")
    parser.add_argument("--in-flight", type=int, default=16, help="calls at once (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not (options.sittings > 0 and options.rounds > 0 and 0 < options.in_flight <= options.calls):
        parser.error("sittings, rounds and calls are from 1, and no more calls are in flight than there are")
    try:
        found = asyncio.run(_all(options))
    except (ServerError, WrongAnswerError, TimeoutError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    console().print(table(*found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
