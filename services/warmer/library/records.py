"""From lines to records of cells: the only place that knows quotes, and loses no row to one that is never closed."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

CELL_LIMIT = 128 * 1024
"""Characters of a cell; a longer one is a quote that was never closed. It is what csv has by default."""

_LONGEST = 2 * CELL_LIMIT
"""Characters of a record; in a longer one a quote was never closed. Twice as many can be read again."""

_MENDED = 1_000
"""Records with quotes that are letters, after which a file is taken to quote nothing: each costs a second look."""

WHOLE_LINE = "\x1f"
"""The delimiter of files that have one cell a line; no text has this sign."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How records are written."""

    delimiter: str = ","
    """What parts cells."""
    quote: str = '"'
    """What stands around a cell that holds the delimiter."""
    skips_blanks: bool = False
    """A blank after the delimiter is no part of the cell."""
    has_escapes: bool = False
    """A quote within a cell has a backslash before it, not another quote."""
    is_wrapped: bool = False
    """Each line is a quoted cell that holds a record, as spreadsheets save a table that they took for one column."""

    def reader(self, lines: Iterable[str], *, is_raw: bool = False, is_strict: bool = False) -> "Reader":
        """Reads lines; raw takes quotes for letters like any other, strict takes no letter between quote and comma."""
        options: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if is_raw else {"quotechar": self.quote}
        options["strict"] = is_strict
        if self.has_escapes and not is_raw:
            options["escapechar"] = "\\"
        if self.is_wrapped:
            lines = (unwrapped(line, self.quote) for line in lines)
        return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.skips_blanks, **options)


def unwrapped(line: str, quote: str) -> str:
    """What a line holds that is a quoted cell; another line as it is."""
    text = line.strip()
    if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
        return text[1:-1].replace(2 * quote, quote) + "\n"
    return line


class Reader(Protocol):
    """What csv.reader gives."""

    @property
    def line_num(self) -> int:
        """Lines read so far."""

    def __iter__(self) -> Iterator[list[str]]:
        """The records."""

    def __next__(self) -> list[str]:
        """The next record."""


class Lines:
    """The lines of a file, of which the last thousands can be read again.

    Args:
        parts: the lines, many at a time.
        before: lines of the file that come before them.
    """

    def __init__(self, parts: Iterable[list[str]], before: int) -> None:
        self._parts = iter(parts)
        self._kept: deque[tuple[int, list[str], int]] = deque()
        self._size = 0
        """Characters that are kept behind the first part."""
        self._next = before + 1
        self._unseen = 0
        """Characters that were given out since it was seen to that no record is too long."""
        self.begun = before + 1
        """Where the record that is being read begins."""

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._fed())

    def _fed(self) -> Iterator[list[str]]:
        while True:
            if self._unseen > _LONGEST:
                if sum(map(len, self.since(self.begun))) > _LONGEST:
                    # Ends whoever reads, as a cell beyond all measure does.
                    raise csv.Error
                self._unseen = 0
            part = next(self._parts, None)
            if part is None:
                return
            size = sum(map(len, part))
            self._kept.append((self._next, part, size))
            self._next += len(part)
            self._unseen += size
            self._size += size if len(self._kept) > 1 else 0
            while len(self._kept) > 1 and self._size - size >= 2 * _LONGEST:
                self._kept.popleft()
                self._size -= self._kept[0][2]
            yield part

    def again(self, line: int) -> Iterator[str]:
        """The lines from one on, once more, with which a record begins; and all that follow."""
        self.begun = line
        self._unseen = _LONGEST + 1
        return chain(self.since(line), self)

    def since(self, line: int, before: int | None = None) -> list[str]:
        """The lines from one on, as far as whole parts were given out; none when that line is no longer kept.

        Args:
            line: the first.
            before: the one behind the last; None for as many as there are.
        """
        if not self._kept or line < self._kept[0][0]:
            return []
        end = self._next if before is None else before
        return [
            text for first, part, _ in self._kept if first < end for text in part[max(0, line - first) : end - first]
        ]


def records_of(
    parts: Iterable[list[str]], dialect: Dialect, width: int, before: int
) -> Iterator[tuple[int, list[str], bool]]:
    """Each record with the line on which it begins, and whether its quotes had to be taken for letters.

    A quote that is never closed would swallow the rows behind it. Where a record of several lines has not as many cells
    as the header, or quotes in its midst, and its first line alone has as many, that line is read for itself; so it is
    where a cell or a record is too long.

    Args:
        parts: the lines, many at a time.
        dialect: how records are written.
        width: cells of a record.
        before: lines of the file that come before these.
    """
    lines = Lines(parts, before)
    source = iter(lines)
    mended = 0
    while True:
        reader = dialect.reader(source, is_raw=mended >= _MENDED)
        base = line = before
        try:
            for cells in reader:
                end = base + reader.line_num
                if end - line > 1:
                    alone = _alone(lines, range(line + 1, end + 1), dialect, cells, width)
                    if alone is not None:
                        break
                yield line + 1, cells, False
                line = end
                lines.begun = line + 1
            else:
                return
        except csv.Error:
            end = base + reader.line_num
            alone = _first(lines, line + 1, dialect)
        yield line + 1, alone, True
        mended += 1
        before = line + 1 if lines.since(line + 1, line + 2) else end
        source = lines.again(before + 1)


def _alone(lines: Lines, span: range, dialect: Dialect, cells: Sequence[str], width: int) -> list[str] | None:
    """The cells of a record's first line; None when it is not that line alone which makes a record."""
    whole = lines.since(span.start, span.stop)
    if sum(map(len, whole)) > _LONGEST:
        return _first(lines, span.start, dialect)
    if width == 1 or (len(cells) == width and _is_well_quoted(whole, dialect)):
        return None
    alone = _first(lines, span.start, dialect)
    return alone if len(alone) == width else None


def _is_well_quoted(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether every quote that closes a cell stands at its end: one that opens a cell behind it does not."""
    try:
        list(dialect.reader(lines, is_strict=True))
    except csv.Error:
        return False
    return True


def _first(lines: Lines, line: int, dialect: Dialect) -> list[str]:
    """The cells of a line whose quotes are letters; none when it is longer than any book needs."""
    text = next(iter(lines.since(line, line + 1)), "").rstrip("\n")
    if len(text) > CELL_LIMIT:
        return []
    cells = next(iter(dialect.reader([text], is_raw=True)), [])
    return [cell.strip().strip(dialect.quote) for cell in cells]
