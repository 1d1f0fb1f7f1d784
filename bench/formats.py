"""Reads a sample of every format, and tells how many of the rows that hold a book are understood.

The samples lie in tests/fixtures/libraries, dirty as exports are; beside each stands what a person finds in it. Any
other file can be named instead.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bookmesh.warmer.v1.warmer_service_pb2 import LibraryFormat
from rich import box
from rich.table import Table

from bench.table import console
from services.warmer.library.decoding import LibraryError
from services.warmer.library.reading import LibraryCounts, read_library

SAMPLES = Path(__file__).parents[1] / "tests" / "fixtures" / "libraries"
EXPECTED = ".expected.json"

_CHUNK = 256 * 1024
_UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that was read."""

    name: str
    """The file's name."""
    format: str
    """The format that was found."""
    counts: LibraryCounts
    """What it holds."""
    holding: int
    """Rows that hold a book, as a person counts them; -1 when nobody did."""

    @property
    def understood(self) -> int:
        """Rows that became a book, or repeat one."""
        return self.counts.row_count - self.counts.reject_count

    @property
    def met(self) -> bool:
        """Whether every row that holds a book was understood."""
        return self.holding in {-1, self.understood}


def sample_of(path: Path) -> Sample:
    """Reads a file.

    Raises:
        LibraryError: it is no library.
        OSError: it can't be opened.
    """
    counts = LibraryCounts()
    with path.open("rb") as file:
        columns, events = read_library(iter(lambda: file.read(_CHUNK), b""), max_rows=_UNLIMITED)
        for event in events:
            counts.add(event)
    expected = path.with_name(path.name + EXPECTED)
    holding = json.loads(expected.read_text())["rows_with_a_book"] if expected.exists() else -1
    format_ = LibraryFormat.Name(columns.format).removeprefix("LIBRARY_FORMAT_").lower()
    return Sample(path.name, format_, counts, holding)


def samples() -> Sequence[Path]:
    """The samples, by name."""
    return sorted(path for path in SAMPLES.iterdir() if not path.name.endswith(EXPECTED))


def table(found: Sequence[Sample]) -> Table:
    """What was read, for people."""
    shown = Table(title="rows understood, of those that hold a book", title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("file")
    shown.add_column("format")
    for heading in ("rows", "hold a book", "understood", "books", "authors", "repeated", "repairs", "rejects", ""):
        shown.add_column(heading, justify="right")
    for each in found:
        counts = each.counts
        numbers = (counts.row_count, each.holding, each.understood, counts.book_count, counts.author_count)
        more = (counts.duplicate_count, counts.repair_count, counts.reject_count)
        cells = [f"{number:,}" if number >= 0 else "" for number in (*numbers, *more)]
        shown.add_row(each.name, each.format, *cells, "[green]met" if each.met else "[red]missed")
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when all rows with a book were understood, 1 when some were not, 2 for a file that is none."""
    parser = argparse.ArgumentParser(prog="python -m bench.formats", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="other files (default: the samples)")
    options = parser.parse_args(arguments)
    found: list[Sample] = []
    for path in options.files or samples():
        try:
            found.append(sample_of(path))
        except (LibraryError, OSError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 2
    console().print(table(found))
    held = sum(each.holding for each in found if each.holding >= 0)
    if held:
        understood = sum(each.understood for each in found if each.holding >= 0)
        print(f"{understood:,} of {held:,} rows that hold a book are understood: {100 * understood / held:g} %")
    return 0 if all(each.met for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
