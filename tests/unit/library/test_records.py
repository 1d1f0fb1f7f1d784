"""Records: no row is lost to a quote or a comma."""

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import LIBRARY_FORMAT_GENERIC

from services.warmer.library.columns import Columns
from services.warmer.library.mending import joined, odd_judge_of
from services.warmer.library.records import CELL_LIMIT, Dialect, records_of, unwrapped
from services.warmer.library.rows import Reject, Repair, Row, judge_of

COLUMNS = Columns(format=LIBRARY_FORMAT_GENERIC, width=3, title=0, author=1, isbns=(2,))
DUNE = "9780441013593"
LONG = "x" * 200


def records(text: str, width: int = 2, size: int = 1) -> list[tuple[int, list[str], bool]]:
    """The records of a text, whose lines come some at a time."""
    lines = text.splitlines(keepends=True)
    parts = [lines[at : at + size] for at in range(0, len(lines), size)]
    return list(records_of(parts, Dialect(), width, before=10))


def test_lines_are_counted_from_what_came_before() -> None:
    """A record is numbered by the line on which it begins."""
    assert records('a,b\n"c\nd",e\nf,g\n') == [
        (11, ["a", "b"], False),
        (12, ["c\nd", "e"], False),
        (14, ["f", "g"], False),
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_quote_that_the_next_one_closes(size: int) -> None:
    """A quote that is not closed takes no row from those behind it, though a later quote seems to close it."""
    assert records('"a,b\nc,d\n"e","f"\ng,h\n', size=size) == [
        (11, ["a", "b"], True),
        (12, ["c", "d"], False),
        (13, ["e", "f"], False),
        (14, ["g", "h"], False),
    ]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_quote_that_nothing_closes(size: int) -> None:
    """A quote that is never closed costs no row, however many follow."""
    rows = "".join(f"{number},{LONG}\n" for number in range(3_000))
    found = records(f'"a,b\n{rows}', size=size)
    assert found[0] == (11, ["a", "b"], True)
    assert found[1:] == [(12 + number, [str(number), LONG], False) for number in range(3_000)]


def test_a_file_that_quotes_nothing() -> None:
    """Where a thousand quotes are letters, all are."""
    found = records("".join(f'"{number},x\n' for number in range(1_200)))
    assert [cells[0].strip('"') for _, cells, _ in found] == [str(number) for number in range(1_200)]


@pytest.mark.parametrize("size", [1, 100, 10**6])
def test_quotes_that_close_one_another(size: int) -> None:
    """Rows whose quotes close those of the rows before are not one row, however many there are."""
    found = records('a,"b\n"c"d,"e\n' + f'"f"g,"{LONG}\n' * 3_000, size=size)
    assert [(line, len(cells)) for line, cells, _ in found] == [(11 + number, 2) for number in range(3_002)]


def test_a_line_beyond_all_measure() -> None:
    """A line that is longer than any cell may be is one record without cells."""
    assert records(f'"{"x" * (CELL_LIMIT + 1)}\na,b\n') == [(11, [], True), (12, ["a", "b"], False)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Dune", "Ann A", " Bob B", DUNE], ["Dune", "Ann A, Bob B", DUNE]),
        (["Dune", "Ann A", "Bob B", DUNE], ["Dune", "Ann A,Bob B", DUNE]),
        (["Dune", " or not", "Ann A", ""], None),
        (["Dune", "Ann A", DUNE, "read"], None),
        (["Dune", "Ann A", "", ""], None),
        (["Dune", "Ann A", "x", "y"], None),
    ],
)
def test_joined(cells: list[str], expected: list[str] | None) -> None:
    """Cells that a comma parted are put together where an ISBN, or a blank, tells which; else they are left alone."""
    assert joined(cells, 3, [1, 0], lambda row: DUNE in row[2:3]) == expected


@pytest.mark.parametrize(
    ("cells", "is_raw", "found", "reason"),
    [
        (["Dune", "Ann A", " Bob B", DUNE], False, Row(1, "Dune", ("Ann A", "Bob B"), DUNE), "UNQUOTED_COMMA"),
        (["Dune", "Ann A", DUNE], True, Row(1, "Dune", ("Ann A",), DUNE), "UNCLOSED_QUOTE"),
        (["Dune", "Ann A", "x", "y"], False, Row(1, "Dune", ("Ann A",), ""), "NOT_AN_ISBN"),
    ],
)
def test_odd_records(cells: list[str], is_raw: bool, found: Row, reason: str) -> None:  # noqa: FBT001 - a case of the table
    """An odd record becomes the row that it was meant to be, and what was done is told."""
    row, repair = odd_judge_of(COLUMNS, judge_of(COLUMNS))(1, cells, is_raw)
    assert isinstance(repair, Repair)
    assert (row, repair.reason) == (found, reason)


def test_an_odd_record_that_is_no_row() -> None:
    """A record without cells is a reject, and nothing is mended in it."""
    reject, repair = odd_judge_of(COLUMNS, judge_of(COLUMNS))(1, [], True)  # noqa: FBT003 - as the records tell it
    assert isinstance(reject, Reject)
    assert (reject.reason, repair) == ("UNREADABLE_ROW", None)


def test_backslashes_before_quotes() -> None:
    """Where quotes within cells have a backslash before them, it is taken off, and so is a doubled quote."""
    lines = ['"The \\"Big\\" One","x ""y"""\n', "a,b\n"]
    found = list(records_of([lines], Dialect(has_escapes=True), width=2, before=0))
    assert found == [(1, ['The "Big" One', 'x "y"'], False), (2, ["a", "b"], False)]


def test_lines_that_are_cells() -> None:
    """A line that a spreadsheet took for one cell is read as the record that it was; others are as they stand."""
    lines = ['"Dune,""Herbert, Frank"""\n', "Emma\n"]
    found = list(records_of([lines], Dialect(is_wrapped=True), width=2, before=0))
    assert found == [(1, ["Dune", "Herbert, Frank"], False), (2, ["Emma"], False)]


@pytest.mark.parametrize(
    ("line", "expected"), [('"a ""b"""\n', 'a "b"\n'), ("a\n", "a\n"), ('"\n', '"\n'), ('"a" b\n', '"a" b\n')]
)
def test_unwrapped(line: str, expected: str) -> None:
    """Only a line that begins and ends with a quote is a cell."""
    assert unwrapped(line, '"') == expected
