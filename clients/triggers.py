"""`bookmesh triggers`: shows what the warmer does by the clock, and fires a trigger by hand."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.warmer.v1.admin_service_pb2 import (
    FireTriggerRequest,
    Firing,
    ListTriggersRequest,
    ListTriggersResponse,
)
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from clients.connect import Services
from clients.terminal import AsJson, err, out, print_json, run
from mesh.cli import Book, Environment

SHOWN = 10
"""Firings of each trigger that are shown unless more are asked for; as many fit on a screen."""

triggers_app = typer.Typer(add_completion=False, help="Show what the warmer does by the clock, or fire a trigger.")


@triggers_app.callback(invoke_without_command=True)
def triggers_command(
    context: typer.Context,
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Firings shown of each trigger.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """Show each trigger, when it is due next, and what became of its last firings; times are UTC."""
    if context.invoked_subcommand is not None:
        return

    async def ask(services: Services) -> None:
        answer = await services.warmer_admin.ListTriggers(ListTriggersRequest(firing_limit=limit))
        if as_json:
            print_json(answer)
        elif out.is_terminal:
            for shown in tables(answer, time.time()):
                out.print(shown)
        else:
            for line in plain(answer):
                out.print(line, markup=False, soft_wrap=True)

    run(book, env, ask)


@triggers_app.command("fire")
def fire_command(
    cron: Annotated[str, typer.Argument(metavar="CRON", help='The cron line, as the manifest has it: "0 2 * * *".')],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fire a trigger now, unless it runs, and tell what came of it; Ctrl-C leaves it running.

    The status is 1 where it failed or was skipped.
    """

    async def ask(services: Services) -> None:
        try:
            firing = (await services.warmer_admin.FireTrigger(FireTriggerRequest(cron=cron))).firing
        except asyncio.CancelledError:
            err.print("the firing goes on; see what comes of it with: bookmesh triggers")
            raise
        if as_json:
            print_json(firing)
        else:
            out.print(_outcome(firing), soft_wrap=True)
        if firing.reason or _is_skipped(firing):
            raise typer.Exit(1)

    run(book, env, ask)


def tables(answer: ListTriggersResponse, now: float) -> Iterator[RenderableType]:
    """A heading and a table for each trigger."""
    for trigger in answer.triggers:
        minutes = max(0, round((trigger.next_time.ToMicroseconds() / 1e6 - now) / 60))
        yield Text.assemble((trigger.cron, "bold"), f"  next {_written(trigger.next_time)}, in {minutes:,} min")
        if not trigger.firings:
            yield Text("has not fired yet\n", style="dim")
            continue
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Due", "Began", "Took", "Outcome"):
            table.add_column(column, justify="right" if column == "Took" else "left", overflow="fold")
        for firing in trigger.firings:
            table.add_row(_due(firing), _written(firing.start_time), _took(firing), _outcome(firing))
        yield table
        yield Text()


def plain(answer: ListTriggersResponse) -> Iterator[str]:
    """The same where there is no terminal: a line for each trigger and each firing, the trigger in front of all."""
    for trigger in answer.triggers:
        yield f"{trigger.cron}: next {_written(trigger.next_time)}"
        yield from (f"{trigger.cron}: {line}" for line in _lines(trigger.firings))


def _lines(firings: Iterable[Firing]) -> Iterator[str]:
    for firing in firings:
        began, took = _written(firing.start_time), _took(firing)
        yield f"due {_due(firing)}, began {began}, took {took or 'no end yet'}: {_outcome(firing).plain}"


def _due(firing: Firing) -> str:
    how = [word for word, said in (("by hand", firing.forced), ("made up", firing.made_up)) if said]
    return " ".join([_written(firing.due_time), *(f"({word})" for word in how)])


def _outcome(firing: Firing) -> Text:
    if not firing.HasField("end_time"):
        return Text("runs", style="cyan")
    if firing.reason:
        return Text(f"{firing.reason}: {firing.outcome}", style="red")
    return Text(firing.outcome, style="yellow" if _is_skipped(firing) else "green")


def _is_skipped(firing: Firing) -> bool:
    return firing.outcome.startswith("skipped: ")


def _took(firing: Firing) -> str:
    if not firing.HasField("end_time"):
        return ""
    return f"{(firing.end_time.ToMicroseconds() - firing.start_time.ToMicroseconds()) / 1e6:,.1f} s"


def _written(stamp: Timestamp) -> str:
    return f"{datetime.fromtimestamp(stamp.ToMicroseconds() / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
