"""The only place that says what a caller may know its text to be, and whose books are asked for then. Pure.

A hint changes no key, and nothing of how an answer is put together: it spares calls where nobody waits for the answer.
"""

import enum
from collections.abc import Mapping

from bookmesh.books.v1.books_service_pb2 import QUERY_KIND_AUTHOR, QUERY_KIND_TITLE_AND_AUTHOR

from services.books.query import Query
from services.books.reading import Reading, reading_of, reading_with_author
from services.cataloguing.names import display_name


class Hint(enum.Enum):
    """What a text is, by its caller's word."""

    AUTHOR = "author"
    """An author's name."""
    TITLE_AND_AUTHOR = "title and author"
    """A title, and behind the last "by" its author's name."""


_HINTS: Mapping[int, Hint] = {
    QUERY_KIND_AUTHOR: Hint.AUTHOR,
    QUERY_KIND_TITLE_AND_AUTHOR: Hint.TITLE_AND_AUTHOR,
}


def hint_of(kind: int) -> Hint | None:
    """The hint in a QueryKind; None for a kind that spares nobody a call."""
    return _HINTS.get(kind)


def hinted_reading(query: Query, hint: Hint) -> Reading:
    """What a text means when the hint is right."""
    return reading_of(query.text) if hint is Hint.AUTHOR else reading_with_author(query.text)


def author_of(query: Query, hint: Hint) -> str:
    """Whose books are asked for, first name first; "" where the text is not what the hint says."""
    reading = hinted_reading(query, hint)
    name = reading.whole if hint is Hint.AUTHOR else reading.author
    name = display_name(name) or name
    return name if any(map(str.isalnum, name)) else ""
