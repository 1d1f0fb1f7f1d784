"""The only place that finds a library's columns by their names, in any order.

The first system took them by position, and looked up titles as authors for a month. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bookmesh.warmer.v1.warmer_service_pb2 import LIBRARY_FORMAT_GENERIC, LibraryFormat

from services.warmer.library.formats import Format, Style, format_of
from services.warmer.library.header_names import FIRST_NAMES, HALF_NAMES, TURNED, Role, plain, role_of_words

NOWHERE = -1
"""The place of a column that is not there."""

_LONGEST = 60
"""Characters that the name of a column has at most."""

_WIDEST = 500
"""Columns that are looked at; no library has more."""

_MANY = (Role.MORE_AUTHORS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row each thing stands."""

    format: LibraryFormat.ValueType
    """The kind of file."""
    names: tuple[str, ...] = ()
    """What was recognised, for people: "title=Book Title"."""
    has_header: bool = True
    """The first line is a header and no book."""
    width: int = 1
    """Cells of a row."""
    title: int = NOWHERE
    author: int = NOWHERE
    last_name: int = NOWHERE
    first_name: int = NOWHERE
    more: tuple[int, ...] = ()
    """Further authors."""
    more_roles: int = NOWHERE
    """The roles of these, beside them."""
    isbns: tuple[int, ...] = ()
    """Where ISBNs stand, the likeliest place first."""
    identifiers: int = NOWHERE
    """Names of all kinds that a book has, an ISBN among them: "isbn:9780441013593,goodreads:44767458"."""
    style: Style = Style.FREE
    """How authors are written."""
    more_style: Style = Style.LIST
    """How further authors are written."""
    joint: str = ""
    """What stands between title and author where every line is both: " by "; the places are those of what it parts."""
    is_author_first: bool = False
    """The author stands before the joint."""

    @property
    def is_usable(self) -> bool:
        """Whether a row can say which book it is."""
        return max(self.title, self.author, self.last_name, self.identifiers, *self.isbns, NOWHERE) > NOWHERE

    def with_isbn(self, place: int, name: str) -> "Columns":
        """These, with a column that holds ISBNs, by whatever name."""
        return replace(self, isbns=(*self.isbns, place), names=(*self.names, f"isbn={name}"))


def columns_of(header: Sequence[str], forced: Format | None = None) -> Columns:
    """The columns of a header; they are usable when some was recognised.

    Args:
        header: its cells.
        forced: whose names count; None finds it out.
    """
    header = header[:_WIDEST]
    names = [plain(cell) for cell in header]
    format_ = forced or format_of(names)
    places: dict[Role, list[int]] = {}
    taken: set[int] = set()
    for role, known in format_.names.items():
        found = [names.index(name) for name in known if name in names]
        found = [place for place in dict.fromkeys(found) if place not in taken]
        if found:
            places[role] = sorted(found) if role in _MANY else found[:1]
            taken.update(places[role])
    if format_.number == LIBRARY_FORMAT_GENERIC:
        _add_by_others(names, places, taken)
        _add_by_words(header, places, taken)
    return _made(header, names, format_, places)


def known_count(header: Sequence[str], forced: Format | None = None) -> int:
    """How many things a line names, read as a header: none when it is none."""
    if len(header) > _WIDEST or any(len(cell) > _LONGEST for cell in header):
        return 0
    names = [plain(cell) for cell in header]
    format_ = forced or format_of(names)
    return sum(any(name in known for name in names) for known in format_.names.values())


def _add_by_others(names: Sequence[str], places: dict[Role, list[int]], taken: set[int]) -> None:
    """What a name tells beside others: the second half of people's names, and authors after the first."""
    halves = [role for role in (Role.LAST_NAME, Role.FIRST_NAME) if role in places]
    rest = [place for place, name in enumerate(names) if place not in taken and name in HALF_NAMES]
    if len(halves) == 1 and rest:
        places[Role.FIRST_NAME if halves == [Role.LAST_NAME] else Role.LAST_NAME] = rest[:1]
        taken.add(rest[0])
    if Role.AUTHOR in places:
        name = names[places[Role.AUTHOR][0]]
        again = [place for place, other in enumerate(names) if place not in taken and other == name]
        if again:
            places[Role.MORE_AUTHORS] = sorted([*places.get(Role.MORE_AUTHORS, ()), *again])
            taken.update(again)


def _add_by_words(header: Sequence[str], places: dict[Role, list[int]], taken: set[int]) -> None:
    """What no name tells may be told by a word in it."""
    named = set(places)
    if Role.LAST_NAME in named:
        named.add(Role.AUTHOR)
    if named & {Role.ISBN10, Role.ISBN13}:
        named.add(Role.ISBN)
    for place, cell in enumerate(header):
        role = role_of_words(cell) if place not in taken and len(cell) <= _LONGEST else None
        if role is not None and role not in named:
            places[role] = [place]
            taken.add(place)
            named.add(role)


def _made(header: Sequence[str], names: Sequence[str], format_: Format, places: dict[Role, list[int]]) -> Columns:
    def at(role: Role) -> int:
        return places[role][0] if role in places else NOWHERE

    author, last, first = at(Role.AUTHOR), at(Role.LAST_NAME), at(Role.FIRST_NAME)
    if NOWHERE not in (author, last) and names[author] in FIRST_NAMES:
        author, first = NOWHERE, author
    if author != NOWHERE or last == NOWHERE:
        last = first = NOWHERE
    style = format_.style or Style.FREE
    if author != NOWHERE and names[author] in TURNED:
        style = Style.TURNED
    used = [(role, place) for role, found in places.items() for place in found]
    unused = {Role.LAST_NAME, Role.FIRST_NAME} if last == NOWHERE else set[Role]()
    return Columns(
        format=format_.number,
        names=tuple(f"{role.value}={header[place].strip()}" for role, place in used if role not in unused),
        width=len(header),
        title=at(Role.TITLE),
        author=author,
        last_name=last,
        first_name=first,
        more=tuple(places.get(Role.MORE_AUTHORS, ())),
        more_roles=at(Role.MORE_ROLES),
        isbns=tuple(
            place for role in (Role.ISBN13, Role.ISBN, Role.ISBN10, Role.ISBNS) for place in places.get(role, ())
        ),
        identifiers=at(Role.IDENTIFIERS),
        style=style,
        more_style=format_.more_style,
    )
