"""The only place that reads lists without columns: a line is an ISBN or several, an author, or a title and its author.

Pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from services.warmer.library.columns import NOWHERE, Columns
from services.warmer.library.contents import HALF, MOST, is_isbn_shaped, looks_like_name, share_of_people, unnumbered
from services.warmer.library.formats import AUTHOR_LIST, GENERIC, ISBN_LIST, Format
from services.warmer.library.isbn_cells import isbns_within

_BY, _COMMA = " by ", ", "
_WORDS = (_BY, " von ", " par ", " de ", " di ", " van ", " av ")
_JOINTS = (*_WORDS, " / ", " - ", " \u2013 ", " \u2014 ", "\u2014", _COMMA)
"""What stands between a title and its author, the surest first."""

_OTHERS = re.compile(r"\s*(?:[,;&]|\s(?:and|und|et)\s)\s*")
"""What parts a first person from others."""

_SEVERAL = 3
"""Lines that show that what stands before each comma is no surname."""

_QUOTES = ' ,"\u201c\u201d\u201e\u00ab\u00bb'
"""What people write round a title in a line."""

_NOTE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
"""What people write in brackets at the end of a line: a year, a mark."""

_DELIMITERS = re.compile(r"[;\t|]")


def columns_of_lines(lines: Sequence[str]) -> Columns | None:
    """What most lines hold; None when nobody can tell."""
    held = [unnumbered(line.strip()) for line in lines if line.strip()]
    if sum(map(is_isbn_shaped, held)) >= HALF * len(held):
        return list_columns(ISBN_LIST)
    if any(map(_DELIMITERS.search, held)):
        return None
    if (titles := _joint_of(held)) is not None:
        return titles
    return list_columns(AUTHOR_LIST) if sum(map(looks_like_name, held)) > MOST * len(held) else None


def list_columns(format_: Format) -> Columns:
    """The columns of a file of which every line is an ISBN, or an author."""
    is_isbns = format_ is ISBN_LIST
    return Columns(
        format=format_.number,
        has_header=False,
        names=("isbn=(every line)" if is_isbns else "author=(every line)",),
        isbns=(0,) if is_isbns else (),
        author=NOWHERE if is_isbns else 0,
    )


def parted(columns: Columns, cells: Sequence[str]) -> list[str]:
    """The title and the author of a line: the title may hold what stands between them, a name does not."""
    text = unnumbered(cells[0]) if cells else ""
    if columns.joint not in text:
        return [text, ""]
    if columns.is_author_first:
        author, _, title = text.partition(columns.joint)
    else:
        title, _, author = text.rpartition(columns.joint)
    return [title.strip(_QUOTES), author]


def each_isbn(records: Iterable[tuple[int, list[str], bool]]) -> Iterator[tuple[int, list[str], bool]]:
    """The records of a list of ISBNs, a line that has several as often as it has different ones."""
    for line, cells, is_raw in records:
        found = isbns_within(cells[0]) if cells else []
        if len(found) > 1:
            yield from ((line, [isbn], is_raw) for isbn in found)
        else:
            yield line, cells, is_raw


def _joint_of(held: Sequence[str]) -> Columns | None:
    for joint in _JOINTS:
        lines = [line for line in held if joint in line]
        if len(lines) <= MOST * len(held):
            continue
        # No word says "by" behind an author.
        before = _people_among([line.partition(joint)[0] for line in lines], joint) if joint not in _WORDS else 0
        behind = _people_among([line.rpartition(joint)[2] for line in lines], joint)
        if max(before, behind) > MOST:
            if joint == _COMMA and (len(lines) < _SEVERAL or min(before, behind) > MOST):
                # One may as well be a person turned round, and where both are people there is no title.
                return None
            return _joint_columns(joint, is_author_first=before > behind)
    return None


def _people_among(texts: Sequence[str], joint: str) -> float:
    """The share of people among what stands on one side; behind "by" even a name of one word is a person."""
    firsts = [_OTHERS.split(_NOTE.sub("", text))[0] for text in texts]
    return sum(map(looks_like_name, firsts)) / len(firsts) if joint == _BY else share_of_people(firsts)


def _joint_columns(joint: str, *, is_author_first: bool) -> Columns:
    order = ("author", "title") if is_author_first else ("title", "author")
    sign = joint.strip()
    return Columns(
        format=GENERIC.number,
        has_header=False,
        names=(f'{order[0]}=(every line, before "{sign}")', f'{order[1]}=(every line, behind "{sign}")'),
        title=0,
        author=1,
        joint=joint,
        is_author_first=is_author_first,
    )
