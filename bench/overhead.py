"""What every layer of the mesh costs a server: its CPU time beside that of a bare grpc.aio server with the same body.

Both servers are processes of their own and get the very same calls, by turns, in many short rounds. The ratio is taken
round by round, for a machine that is shared runs faster now and slower then. Two callers make the calls: a plain stub,
as people have it, and a binding, which says with each call where it stands.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from rich import box
from rich.table import Table

from bench.answer import Question
from bench.contest import WrongAnswerError, prove
from bench.measure import Clocks, Contender, Cost, Costs, Shape, measure
from bench.process import ServerError, server
from bench.rivals import Rival, bare_aio, mesh_wire
from bench.rivals.in_process import starter, to_message
from bench.table import console

OpenStub = Callable[[str], AbstractAsyncContextManager[BooksServiceStub]]
"""Opens a stub to an address."""

LIMIT = 1.15
"""The most that all layers may cost, as a multiple of the bare server's CPU time."""

SITTINGS = 6
ROUNDS = 12
CALLS = 160
IN_FLIGHT = 16
_MOST = 10_000

CALLERS: Mapping[str, OpenStub] = {"plain stub": bare_aio.stub, "binding": mesh_wire.stub}
"""Who makes the calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two servers that are compared, by the names of their rivals."""

    bare: str
    """The one without layers."""
    ours: str
    """The one with them."""
    prove: Callable[[Rival], Awaitable[None]] = prove
    """Raises WrongAnswerError for one that does not answer what it is asked."""


LAYERS = Pair(bare="bare_aio", ours="mesh_wire")
"""The same body with no layer and with all of them."""

_QUESTIONS = {"EMPTY": "empty", "FORTY": "40 results"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What came of one comparison; times are CPU microseconds of the server for each call."""

    transport: str
    """"unix" or "tcp"."""
    caller: str
    """Who made the calls."""
    question: str
    """What was asked: "EMPTY" or "FORTY"."""
    bare_us: float
    """The median of the bare server."""
    mesh_us: float
    """The median with every layer on."""
    ratio: float
    """The median of the ratios of all rounds."""

    @property
    def met(self) -> bool:
        """Whether it is what the project set out to reach."""
        return self.ratio <= LIMIT


async def compare(
    transport: str,
    *,
    sittings: int,
    rounds: int,
    calls: int,
    in_flight: int,
    pair: Pair = LAYERS,
    callers: Mapping[str, OpenStub] = CALLERS,
    questions: Sequence[Question] = tuple(Question),
) -> Sequence[Overhead]:
    """Measures both servers over one transport.

    Args:
        transport: "unix" or "tcp".
        pair: which servers.
        callers: who makes the calls.
        questions: what is asked.
        sittings: how often the servers are started anew, for one process may lie better in the memory than another.
        rounds: how many count in each sitting.
        calls: calls of each measurement.
        in_flight: calls under way at once.

    Raises:
        WrongAnswerError: a server answers something else than it should.
        ServerError: a server did not start, or is gone.
    """
    shapes = [Shape(question.name, in_flight) for question in questions]
    found: defaultdict[tuple[str, Shape], list[Cost]] = defaultdict(list)
    for _ in range(sittings):
        for key, costs in (await _sit(transport, shapes, pair, callers, rounds=rounds, calls=calls)).items():
            found[key] += costs
    return [
        _overhead(
            transport,
            caller,
            shape,
            *([cost.cpu_s for cost in found[f"{name} {caller}", shape]] for name in (pair.bare, pair.ours)),
        )
        for caller in callers
        for shape in shapes
    ]


async def _sit(
    transport: str,
    shapes: Sequence[Shape],
    pair: Pair,
    callers: Mapping[str, OpenStub],
    *,
    rounds: int,
    calls: int,
) -> Costs:
    async with AsyncExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-"))
        contenders = list[Contender]()
        for name in (pair.bare, pair.ours):
            address = f"unix:{folder}/{name}" if transport == "unix" else "127.0.0.1:0"
            process = await running.enter_async_context(server(name, address))
            for caller, open_stub in callers.items():
                stub = await running.enter_async_context(open_stub(process.address))
                rival = Rival(name=f"{name} {caller}", title=name, start=starter(stub), to_message=to_message)
                await pair.prove(rival)
                contenders.append(_contender(rival, calls, process.cpu_s))
        return await measure(
            contenders,
            shapes,
            rounds=rounds,
            # Our own time counts for nothing here: what is left is the server's.
            clocks=Clocks(cpu=lambda: 0.0, wall=time.perf_counter),
            settle=partial(gc.collect, 0),
            passed=lambda _: None,
        )


def _contender(rival: Rival, calls: int, server_cpu: Any) -> Contender:
    starts = {question.name: rival.start(question) for question in Question}
    return Contender(name=rival.name, starts=starts, calls=calls, server_cpu=server_cpu)


def _overhead(transport: str, caller: str, shape: Shape, bare: Sequence[float], mesh: Sequence[float]) -> Overhead:
    return Overhead(
        transport=transport,
        caller=caller,
        question=shape.question,
        bare_us=statistics.median(bare) * 1e6,
        mesh_us=statistics.median(mesh) * 1e6,
        ratio=statistics.median(ours / theirs for ours, theirs in zip(mesh, bare, strict=True)),
    )


async def _all(options: argparse.Namespace) -> Sequence[Overhead]:
    found = list[Overhead]()
    for transport in ("tcp", "unix"):
        found += await compare(
            transport,
            sittings=options.sittings,
            rounds=options.rounds,
            calls=options.calls,
            in_flight=options.in_flight,
        )
    return found


def told(found: Overhead) -> Mapping[str, object]:
    """One comparison as plain objects."""
    return {
        "transport": found.transport,
        "caller": found.caller,
        "question": found.question,
        "bare_us": round(found.bare_us, 1),
        "mesh_us": round(found.mesh_us, 1),
        "ratio": round(found.ratio, 3),
        "met": found.met,
    }


def table(found: Sequence[Overhead]) -> Table:
    """All comparisons for people."""
    title = f"server CPU of a call over the wire, in us; at most {LIMIT:g} is expected"
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("over", "called by", "answer"):
        shown.add_column(heading)
    for heading in ("bare grpc.aio", "every layer on", "ratio", ""):
        shown.add_column(heading, justify="right")
    for each in found:
        shown.add_row(
            each.transport,
            each.caller,
            _QUESTIONS[each.question],
            f"{each.bare_us:,.1f}",
            f"{each.mesh_us:,.1f}",
            f"{each.ratio:.2f} x",
            "[green]met" if each.met else "[red]missed",
        )
    return shown


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when all was measured, whatever came of it; 1 when a server would not run or answered something else. Bad
        arguments end the process with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else")
    parser.add_argument("--sittings", type=int, default=SITTINGS, help="starts of the servers (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="in each of these (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls of each measurement (default: %(default)s)")
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT, help="calls at once (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not (
        0 < options.sittings <= _MOST
        and 0 < options.rounds <= _MOST
        and 0 < options.in_flight <= options.calls <= _MOST
    ):
        parser.error(
            f"sittings, rounds and calls are from 1 to {_MOST}, and no more calls are in flight than there are"
        )
    try:
        found = asyncio.run(_all(options))
    except (ServerError, WrongAnswerError, TimeoutError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        sys.stdout.buffer.write(
            orjson.dumps([told(each) for each in found], option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    else:
        console().print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
