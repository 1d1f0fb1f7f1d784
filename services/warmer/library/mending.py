"""Judges the records that are not as the header has it: a comma without quotes, a quote that is never closed. Pure."""

from collections.abc import Callable, Sequence

from services.warmer.library.columns import NOWHERE, Columns
from services.warmer.library.isbn_cells import read
from services.warmer.library.rows import Judge, Reject, Repair, Row

OddJudge = Callable[[int, Sequence[str], bool], tuple[Row | Reject, Repair | None]]
"""Takes the number of a line, its cells, and whether its quotes were taken for letters."""


_SURPLUS = 50
"""Cells more than the header has that commas may have made."""


def odd_judge_of(columns: Columns, judge: Judge) -> OddJudge:
    """What judges odd records.

    Args:
        columns: of the file.
        judge: what judges them once they are mended.
    """
    places = [place for place in (columns.author, columns.title) if place != NOWHERE]

    def is_right(cells: Sequence[str]) -> bool:
        return any(place < len(cells) and read(cells[place]).isbn13 for place in columns.isbns)

    def judge_odd(line: int, cells: Sequence[str], is_raw: bool) -> tuple[Row | Reject, Repair | None]:  # noqa: FBT001 - as the records tell it
        if not cells:
            hint = "a cell is longer than any book needs; a quote may not be closed"
            return Reject(line, "UNREADABLE_ROW", hint, ""), None
        whole = joined(cells, columns.width, places, is_right) if len(cells) > columns.width else None
        found, repair = judge(line, whole or cells)
        if repair is None and whole is not None:
            repair = Repair(line, "UNQUOTED_COMMA", "a cell with a comma in it was put together again")
        elif repair is None and is_raw:
            repair = Repair(line, "UNCLOSED_QUOTE", "a quote that is not closed was taken for a letter")
        return found, repair if isinstance(found, Row) else None

    return judge_odd


def joined(
    cells: Sequence[str], width: int, places: Sequence[int], is_right: Callable[[Sequence[str]], bool]
) -> list[str] | None:
    """A record that has more cells than the header, with those put together that a comma in a cell parted.

    What begins with a blank goes on the cell before it: "J.K. Rowling, John Tiffany". Else the surplus is put together
    where text stands, and an ISBN then stands where it should.

    Args:
        cells: the record.
        width: cells that it should have.
        places: where text may hold a comma, the likeliest first.
        is_right: whether an ISBN stands in its place.

    Returns:
        None when it is best left as it is.
    """
    surplus = len(cells) - width
    if surplus > _SURPLUS or not any(cell.strip() for cell in cells[width:]) or is_right(cells):
        return None
    found: list[str] = []
    for cell in cells:
        if found and cell.startswith(" ") and cell.strip():
            found[-1] += "," + cell
        else:
            found.append(cell)
    if len(found) == width:
        return found
    end = surplus + 1
    tries = ([*cells[:at], ",".join(cells[at : at + end]), *cells[at + end :]] for at in places)
    return next((each for each in tries if is_right(each)), None)
