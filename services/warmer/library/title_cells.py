"""The only place that reads the title cells of a library: what is a title, and what stands where one would. Pure."""

import re
from collections.abc import Sequence

from services.cataloguing.titles import title_of
from services.warmer.library.people import clean
from services.warmer.library.roles import role_behind

_SERIES = re.compile(r"[^()\[\]]*#\d[^()\[\]]*\)")
"""What Goodreads puts in brackets behind a title, in the form that half of all titles have it: "(Dune, #1)"."""

_UNEASY = tuple(")] /:;,=-—")
"""How a title ends that `title_of` may change; else it only cares for commas and colons."""

_SUM = re.compile(
    r"(?i)(?:(?:grand |sub)?total(?:s|e|i)?|sum|count|gesamt(?:zahl)?|summe|anzahl|somme|suma|totaal|итого|всего|"
    r"合[计計])(?: (?:books|titles|général|generale))?\s*[:=]?\s*\d*"
)
"""What stands in the last line of a table that somebody has counted."""

_NO_TITLE = frozenset({"", "-", "--", "n/a", "#n/a", "na", "null", "nan", "none", "untitled", "no title", "?"})

_SHORT = max(map(len, _NO_TITLE))


def title_of_cell(cell: str) -> str:
    """The title in a cell: without the series, the publisher's line and a subtitle that only names the kind of book.

    `title_of` judges; what it would leave as it is does not come to it, and neither does Goodreads' series.
    """
    title = clean(cell)
    if title.endswith(")") and (at := title.rfind("(")) > 0 and _SERIES.fullmatch(title, at + 1):
        title = title[:at].rstrip() or title
    if title.endswith(_UNEASY) or ": " in title or ", " in title:
        title = title_of(title, "").main
    return "" if len(title) <= _SHORT and title.casefold() in _NO_TITLE else title


def without_statement(title: str, authors: Sequence[str]) -> str:
    """A title without what libraries write behind it: "Dune / Frank Herbert" says who wrote it, "Face / Off" not."""
    main, _, statement = title.rpartition(" / ")
    words = set(statement.casefold().replace(".", " ").replace(",", " ").split())
    says_who = role_behind(statement) != statement or any(name.casefold().split()[-1] in words for name in authors)
    return main.strip() if says_who else title


def is_sum(title: str, cells: Sequence[str]) -> bool:
    """Whether a line without author and ISBN counts the others: its title says so, and nothing else has letters."""
    if not _SUM.fullmatch(title):
        return False
    others = [cell for cell in cells if cell.strip()]
    return title[-1:].isdigit() or (len(others) > 1 and sum(any(map(str.isalpha, cell)) for cell in others) == 1)
