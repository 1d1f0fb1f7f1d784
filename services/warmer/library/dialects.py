"""The only place that finds out how the records of a table are written: what parts cells, how quotes stand. Pure."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from services.warmer.library.records import Dialect

DELIMITERS = (",", ";", "\t", "|")
"""What parts cells, the likeliest first."""

_LINES = 30
"""Lines that show whether blanks stand before quotes."""

_ESCAPED = re.compile(r'[^\\]\\"(?=.|\n)')
"""A quote with a backslash before it; at the end of a cell, or before another quote, that backslash may be a letter."""


def cells_of(lines: Sequence[str], dialect: Dialect) -> Iterator[list[str]]:
    """The records of a sample; what can't be read ends it."""
    with suppress(csv.Error):
        yield from dialect.reader(lines)


def dialects_of(lines: Sequence[str], delimiters: Sequence[str]) -> Iterator[Dialect]:
    """How a header may be written, of equal ones the likelier first.

    Args:
        lines: it, and the one behind it.
        delimiters: what may part its cells.
    """
    line = lines[0]
    for sign in delimiters:
        ways = [Dialect(sign)]
        if line.startswith("'") and f"'{sign}'" in line and '"' not in line:
            ways.insert(0 if lines[-1].startswith("'") else 1, Dialect(sign, quote="'"))
        if sign in line and len(next(cells_of([line], Dialect(sign)), [])) == 1:
            ways.append(Dialect(sign, is_wrapped=True))
        yield from ways


def settled(dialect: Dialect, lines: Sequence[str]) -> Dialect:
    """A dialect that knows whether people write a blank before a cell in quotes, and a backslash before a quote."""
    spaced = f"{dialect.delimiter} {dialect.quote}"
    tight = f"{dialect.delimiter}{dialect.quote}"
    ends = f"\n{dialect.delimiter}{dialect.quote}"
    first, text = "".join(lines[:_LINES]), "".join(lines)
    return replace(
        dialect,
        skips_blanks=first.count(spaced) > first.count(tight),
        has_escapes=any(text[found.end()] not in ends for found in _ESCAPED.finditer(text)),
    )
