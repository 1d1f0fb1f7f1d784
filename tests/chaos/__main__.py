"""The command: `python -m tests.chaos` breaks everything in turn, and prints what was claimed and what was seen."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.claims import LONG, SHORT, Claim, Size
from tests.chaos.course import Scenario
from tests.chaos.house import house
from tests.chaos.scenarios import SCENARIOS


def main() -> int:
    """Runs the scenarios.

    Returns:
        0 when every claim held in every round, 1 when one did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of what `make test` runs, with its bounds")
    parser.add_argument("--only", default="", help="scenarios whose name has this text")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is run; all claims must hold each time")
    options = parser.parse_args()
    size = SHORT if options.short else LONG
    chosen = [each for each in SCENARIOS if options.only in each.broken and (each.brief or not options.short)]
    return asyncio.run(_run(chosen, size, options.rounds))


async def _run(scenarios: list[Scenario], size: Size, rounds: int) -> int:
    table = Table("what is broken", "of what", "claimed", "measured", "holds", show_lines=False)
    console, held = Console(width=200), True
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as made:
            for scenario in scenarios:
                for _ in range(rounds):
                    claims = await scenario.run(made, size)
                    held = held and all(claim.holds for claim in claims)
                    for at, claim in enumerate(claims):
                        _row(table, "" if at else scenario.broken, claim)
                    _tell(scenario, claims)
    console.print(table)
    return 0 if held else 1


def _tell(scenario: Scenario, claims: Sequence[Claim]) -> None:
    """How far it has come, and at once what did not hold."""
    failed = [f"  {claim.what}: {claim.claimed}, but {claim.measured}\n" for claim in claims if not claim.holds]
    sys.stderr.write(f"{scenario.broken}: {'no' if failed else 'yes'}\n{''.join(failed)}")


def _row(table: Table, broken: str, claim: Claim) -> None:
    table.add_row(broken, claim.what, claim.claimed, claim.measured, "yes" if claim.holds else "NO")


if __name__ == "__main__":
    sys.exit(main())
