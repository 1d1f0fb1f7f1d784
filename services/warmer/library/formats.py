"""The only place that tells kinds of export apart, and knows the ways of each: its columns, how it writes people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from bookmesh.warmer.v1.warmer_service_pb2 import (
    LIBRARY_FORMAT_AUTHOR_LIST,
    LIBRARY_FORMAT_BOOKWYRM,
    LIBRARY_FORMAT_CALIBRE,
    LIBRARY_FORMAT_GENERIC,
    LIBRARY_FORMAT_GOODREADS,
    LIBRARY_FORMAT_ISBN_LIST,
    LIBRARY_FORMAT_LIBRARYTHING,
    LIBRARY_FORMAT_OPEN_LIBRARY,
    LIBRARY_FORMAT_STORYGRAPH,
    LibraryFormat,
)

from services.warmer.library.header_names import NAMES, Role


class Style(Enum):
    """How a column writes people."""

    FREE = "free"
    """Nobody knows; each cell is judged by itself."""
    ONE = "one"
    """One person a cell, first name first; a comma parts no two."""
    LIST = "list"
    """First names first, parted by commas."""
    TURNED = "turned"
    """Last name, comma, first name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Format:
    """The ways of a kind of export."""

    number: LibraryFormat.ValueType
    """Its number in the contract."""
    signatures: Sequence[frozenset[str]] = ()
    """Names of columns that all stand in its header, and in no other's; one set for each generation."""
    names: Mapping[Role, Sequence[str]] = field(default_factory=lambda: NAMES)
    """What it calls its columns."""
    style: Style | None = None
    """How it writes authors; None where the column itself has to tell."""
    more_style: Style = Style.LIST
    """How it writes further authors."""


def _signatures(*lines: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(line.split()) for line in lines)


GENERIC = Format(number=LIBRARY_FORMAT_GENERIC)
ISBN_LIST = Format(number=LIBRARY_FORMAT_ISBN_LIST, names={Role.ISBN: NAMES[Role.ISBN]})
AUTHOR_LIST = Format(number=LIBRARY_FORMAT_AUTHOR_LIST, names={Role.AUTHOR: NAMES[Role.AUTHOR]})

EXPORTS = (
    Format(
        number=LIBRARY_FORMAT_GOODREADS,
        # The first two columns stand in the export since 2007; what is left when people take columns out comes after.
        signatures=_signatures(
            "bookid exclusiveshelf", "authorlf additionalauthors", "authorlf isbn13", "bookshelveswithpositions"
        ),
        names={
            Role.TITLE: ("title",),
            Role.AUTHOR: ("author", "authorlf"),
            Role.MORE_AUTHORS: ("additionalauthors",),
            Role.ISBN13: ("isbn13",),
            Role.ISBN: ("isbn", "isbn10"),
        },
        style=Style.ONE,
    ),
    Format(
        number=LIBRARY_FORMAT_STORYGRAPH,
        signatures=_signatures(
            "isbnuid", "readstatus starrating", "readstatus lastdateread", "readstatus moods", "readstatus owned isbn"
        ),
        names={
            Role.TITLE: ("title",),
            Role.AUTHOR: ("authors", "author"),
            Role.ISBN: ("isbnuid", "isbn"),
            Role.ISBN13: ("isbn13",),
        },
        style=Style.LIST,
    ),
    Format(
        number=LIBRARY_FORMAT_LIBRARYTHING,
        signatures=_signatures(
            "primaryauthor sortcharacter",
            "primaryauthor isbns",
            "primaryauthor secondaryauthor",
            "primaryauthor lcclassification",
            "authorfirstlast authorlastfirst",
            "authorfirstlast isbn",
            "authorfirstlast isbns",
            "authorlastfirst isbns",
            "authorlastfirst dateentered",
        ),
        names={
            Role.TITLE: ("title",),
            Role.AUTHOR: ("primaryauthor", "authorfirstlast", "authorlastfirst", "author"),
            Role.MORE_AUTHORS: ("secondaryauthor", "secondaryauthors", "otherauthors"),
            Role.MORE_ROLES: ("secondaryauthorroles", "secondaryauthorrole"),
            Role.ISBN: ("isbn",),
            Role.ISBNS: ("isbns",),
        },
        style=Style.TURNED,
        more_style=Style.TURNED,
    ),
    Format(
        number=LIBRARY_FORMAT_OPEN_LIBRARY,
        signatures=_signatures(
            "workid editionid", "workid firstpublishyear", "workid bookshelf", "firstpublishyear ratingsaverage"
        ),
        names={
            Role.TITLE: ("title", "worktitle", "editiontitle", "booktitle"),
            Role.AUTHOR: ("authors", "author", "authornames"),
            Role.ISBN13: ("isbn13",),
            Role.ISBN: ("isbn",),
            Role.ISBN10: ("isbn10",),
            Role.ISBNS: ("isbns",),
        },
        style=Style.LIST,
    ),
    Format(
        number=LIBRARY_FORMAT_CALIBRE,
        signatures=_signatures(
            "authorsort titlesort",
            "authorsort libraryname",
            "authorsort uuid",
            "authors identifiers",
            "authors pubdate uuid",
        ),
        names={
            Role.TITLE: ("title", "titlesort"),
            Role.AUTHOR: ("authors", "author", "authorsort"),
            Role.ISBN13: ("isbn13",),
            Role.ISBN: ("isbn",),
            Role.ISBN10: ("isbn10",),
            Role.IDENTIFIERS: ("identifiers",),
        },
        # It parts people with "&"; what it has of a file's own metadata is written in either order.
        style=Style.FREE,
    ),
    Format(
        number=LIBRARY_FORMAT_BOOKWYRM,
        signatures=_signatures("authortext", "openlibrarykey inventaireid", "openlibrarykey remoteid"),
        names={
            Role.TITLE: ("title",),
            Role.AUTHOR: ("authortext", "author", "authors"),
            Role.ISBN13: ("isbn13",),
            Role.ISBN: ("isbn",),
            Role.ISBN10: ("isbn10",),
        },
        style=Style.LIST,
    ),
)
"""The programs whose exports are known, in the order in which a header is compared."""

FORMATS: Mapping[LibraryFormat.ValueType, Format] = {
    format_.number: format_ for format_ in (GENERIC, *EXPORTS, ISBN_LIST, AUTHOR_LIST)
}
"""Every format by its number."""


def format_of(names: Iterable[str]) -> Format:
    """The format of a header, by its names, plain; any table when no program's."""
    found = frozenset(names)
    return next((each for each in EXPORTS if any(signature <= found for signature in each.signatures)), GENERIC)
