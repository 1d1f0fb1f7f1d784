"""`bookmesh triggers`: what is done by the clock, what became of the last firings, and how to fire one by hand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table
from rich.text import Text

from clients.connect import Services
from clients.terminal import AsJson, out, print_json, run
from mesh.cli import Book, Environment

_FIRE_S = 600.0
"""Seconds that a firing by hand is waited for."""


def triggers_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Firings shown of each trigger.")] = 10,
    fire: Annotated[str, typer.Option("--fire", help='Fire this trigger now: "0 2 * * *".')] = "",
    as_json: AsJson = False,
) -> None:
    """Show the triggers with their last firings, or fire one."""

    async def ask(services: Services) -> None:
        if fire:
            fired = await services.warmer_admin.FireTrigger(pb.FireTriggerRequest(cron=fire), timeout=_FIRE_S)
            if as_json:
                print_json(fired)
            else:
                out.print(_firings([fired.firing]))
            return
        answer = await services.warmer_admin.ListTriggers(pb.ListTriggersRequest(firing_limit=limit))
        if as_json:
            print_json(answer)
            return
        for trigger in answer.triggers:
            out.print(Text.assemble((trigger.cron, "bold"), f"  next at {_time(trigger.next_time)} UTC"))
            if trigger.firings:
                out.print(_firings(trigger.firings))
            else:
                out.print("  not fired yet")

    run(book, env, ask)


def _firings(found: Iterable[pb.Firing]) -> Table:
    """Firings, newest first."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Due", "Began", "Took", "How", "Outcome"):
        table.add_column(column, justify="right" if column == "Took" else "left", overflow="fold")
    for firing in found:
        took = (firing.end_time.ToMilliseconds() - firing.start_time.ToMilliseconds()) / 1000
        how = "by hand" if firing.forced else "made up for" if firing.made_up else "by the clock"
        table.add_row(
            _time(firing.due_time),
            _time(firing.start_time),
            f"{took:.1f} s" if firing.HasField("end_time") else "runs",
            how,
            Text(f"{firing.reason}: {firing.outcome}" if firing.reason else firing.outcome),
        )
    return table


def _time(stamp: Timestamp) -> str:
    return stamp.ToDatetime().isoformat(sep=" ", timespec="seconds")
