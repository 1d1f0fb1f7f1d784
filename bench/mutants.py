"""What came of mutation testing: how many changes of the code the tests noticed, file by file.

`make mutate` has mutmut change the circuit breaker in some hundred small ways, a comparison here, a constant there, and
run its tests against each. `python -m bench.mutants` tells what came of it, and which changes nobody noticed.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

WANTED = {"mesh/breaker.py": 0.95}
"""The share of changes that must be noticed, by file."""

_NOTICED = frozenset({"killed", "timeout", "segfault", "caught by type check"})
"""What mutmut calls a change that made a test fail, hang or crash."""

_LINE = re.compile(r"^\s*(?P<name>(?P<module>[\w.]+?)\.x[_ǁ]\S*?): (?P<state>.+)$")
"""One line of `mutmut results`: "mesh.breaker.xǁBreakerǁacquire__mutmut_1: killed"."""


@dataclass(slots=True)
class Tally:
    """What became of the changes of one file."""

    noticed: int = 0
    """Changes that a test failed for."""
    unnoticed: list[str] = field(default_factory=list)
    """The names of the others."""

    @property
    def total(self) -> int:
        """All changes."""
        return self.noticed + len(self.unnoticed)

    @property
    def share(self) -> float:
        """The share that was noticed, 0 to 1; 0 when there were none, for then nothing was proven."""
        return self.noticed / self.total if self.total else 0.0


def tally(lines: Iterable[str]) -> Mapping[str, Tally]:
    """The lines of `mutmut results --all true`, counted by file."""
    found: dict[str, Tally] = {}
    for line in lines:
        if match := _LINE.match(line):
            of = found.setdefault(match["module"].replace(".", "/") + ".py", Tally())
            if match["state"] in _NOTICED:
                of.noticed += 1
            else:
                of.unnoticed.append(match["name"])
    return found


def is_enough(found: Mapping[str, Tally]) -> bool:
    """Whether each file has as many changes noticed as is wanted of it."""
    return all(found.get(file, Tally()).share >= share for file, share in WANTED.items())


def show(found: Mapping[str, Tally], console: Console) -> None:
    """Prints the counts, and how to look at what nobody noticed."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("File", "Killed", "Total", "Share", "Wanted"):
        table.add_column(column, justify="left" if column == "File" else "right")
    for file, of in sorted(found.items()):
        wanted = f"{WANTED[file]:.0%}" if file in WANTED else ""
        table.add_row(file, str(of.noticed), str(of.total), f"{of.share:.1%}", wanted)
    console.print(table)
    for of in found.values():
        for name in of.unnoticed:
            console.print(f"nobody noticed: mutmut show {name}", style="dim", soft_wrap=True)


def main() -> int:
    """Tells what came of the last run.

    Returns:
        0 when enough changes were noticed, 1 when too few were, or nothing was run.
    """
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    found = tally(ended.stdout.splitlines())
    if not found:
        sys.stderr.write(f"mutants: there are no results to tell\n{ended.stderr}")
        return 1
    show(found, Console(highlight=False))
    return 0 if is_enough(found) else 1


if __name__ == "__main__":
    sys.exit(main())
