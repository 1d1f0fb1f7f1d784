"""The only place that knows where a page of an author's works begins and ends, and what the token of a page says. Pure.

A token names the last work that was given by its place in the order, not by a count: the whole may be made anew between
two pages, and what stays in it is then given once and not left out. Only a work whose year or title changed meanwhile
has another place; so the token says too when the whole was made that it was cut from, and a caller can be told.
"""

import base64
import binascii
import bisect
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from bookmesh.books.v1.books_service_pb2 import AuthorBibliographyResponse
from bookmesh.type.v1.book_pb2 import Work

from services.books.entry import Entry
from services.books.likeness import title_key

PAGE_BYTES = 3_500_000
"""Works that one page carries at most, below gRPC's limit of 4 MB for a message; it then holds fewer than asked for."""

_VERSION = 1
"""Raised whenever a token means something else; older ones are none then."""

_NO_YEAR = 2**31
"""Beyond every year: what is not dated comes last."""

_TITLE_LENGTH = 60
"""Characters of a title that order works of one year, so that tokens stay short."""

_CHECK_BYTES = 6


class Place(NamedTuple):
    """Where a work stands: by its year, then its title, then its id, which no two works share."""

    year: int
    title: str
    work_id: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a token says."""

    place: Place
    """The place of the last work that was given."""
    made_ms: int
    """When the whole was made that it was cut from, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a whole."""

    start: int
    """Its first work, from 0."""
    stop: int
    """The work behind its last."""
    following: Mark | None
    """Where the page after it begins; None at the end."""
    is_remade: bool
    """The whole was made anew since the page before."""


class PageTokenError(ValueError):
    """A text that is no token of this list."""


def place_of(work: Work) -> Place:
    """Where a work stands in a bibliography."""
    return Place(work.first_publication_year or _NO_YEAR, title_key(work.title)[:_TITLE_LENGTH], work.id)


def page_of(entry: Entry, size: int, after: Mark | None = None) -> Page:
    """One page.

    Args:
        entry: the whole, in the order of its places.
        size: works that are wanted.
        after: what the token of the page before says; None for the first.
    """
    count = len(entry.ends)
    # A place is looked up in a handful of works, so that a page costs no parsing of the whole.
    start = 0 if after is None else bisect.bisect_right(range(count), after.place, key=lambda at: _place_at(entry, at))
    begins = entry.ends[start - 1] if start else 0
    room = max(start + 1, bisect.bisect_right(entry.ends, begins + PAGE_BYTES))
    stop = min(start + size, room, count)
    made_ms = round(entry.cache_time * 1000)
    following = Mark(_place_at(entry, stop - 1), made_ms) if stop < count else None
    return Page(start, max(start, stop), following, after is not None and after.made_ms != made_ms)


class _Token(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    year: int
    title: str
    work_id: str
    made_ms: int


def token_of(key: str, mark: Mark) -> str:
    """A mark as callers hand it back.

    Args:
        key: the key of the whole, for a token is good for one author and language alone.
        mark: what it says.
    """
    content = msgspec.msgpack.encode(_Token(_VERSION, *mark.place, mark.made_ms))
    return base64.urlsafe_b64encode(_check(key, content) + content).decode().rstrip("=")


def mark_of(key: str, token: str) -> Mark:
    """What a token says.

    Raises:
        PageTokenError: it is none that `token_of` made for this key.
    """
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        check, content = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        found = msgspec.msgpack.decode(content, type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise PageTokenError("no page token") from None
    mark = Mark(Place(found.year, found.title, found.work_id), found.made_ms)
    # One text alone is the token: base64 has others that mean the same bytes.
    if check != _check(key, content) or token != token_of(key, mark):
        raise PageTokenError("no page token of this list")
    return mark


def _place_at(entry: Entry, at: int) -> Place:
    return place_of(AuthorBibliographyResponse.FromString(entry.slice(at, at + 1)).works[0])


def _check(key: str, content: bytes) -> bytes:
    return hashlib.blake2b(content, key=hashlib.blake2b(key.encode()).digest(), digest_size=_CHECK_BYTES).digest()
