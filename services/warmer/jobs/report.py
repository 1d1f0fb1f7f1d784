"""The report of a job: one line of CSV for each row of its library, and what became of it. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from services.warmer.checks import InlineBook
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.rows import Reject, Repair, Row
from services.warmer.plan.searches import Search, author_search, book_search

COLUMNS = ("line", "isbn_13", "title", "authors", "outcome", "reason", "hint")
"""The contract's columns."""

CHUNK = 64 * 1024
"""Bytes of one part of a report, about."""

PENDING = "pending"
REJECTED = "rejected"
DUPLICATE = "duplicate"
SKIPPED = "skipped"
"""Outcomes beside those of searches."""

_NO_ISBN = "NO_ISBN"
_NO_ISBN_HINT = "this strategy asks by ISBN alone; the others search for the book by title and author"

_LOST = frozenset({Outcome.FAILED, Outcome.PARKED})

Look = Callable[[Search], Settled | None]
"""What became of a search; None while nothing has.

Raises:
    KeyError: the job's plan has no such search.
"""


def report_of(events: Iterable[Event | InlineBook], look: Look, *, is_whole: bool = True) -> Iterator[bytes]:
    """A report in UTF-8, in parts of about CHUNK bytes; lines end as RFC 4180 has it.

    Args:
        events: what the library holds, in the order of its lines; a repair comes right after its row.
        look: what became of a search.
        is_whole: the job was for all rows; those that another one is not for are left out.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in _lines(events, look, is_whole=is_whole):
        if line is None:
            continue
        writer.writerow(line)
        if out.tell() >= CHUNK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _lines(events: Iterable[Event | InlineBook], look: Look, *, is_whole: bool) -> Iterator[Sequence[str | int] | None]:
    held: Row | InlineBook | None = None
    for event in events:
        if isinstance(event, Repair):
            if held is not None:
                yield _book_line(held, look, event, is_whole=is_whole)
            held = None
            continue
        if held is not None:
            yield _book_line(held, look, is_whole=is_whole)
        held = None
        match event:
            case Reject() | Duplicate() if not is_whole:
                continue
            case Reject():
                hint = f"{event.hint}: {event.text}" if event.text else event.hint
                yield event.line, "", "", "", REJECTED, event.reason, hint
            case Duplicate():
                reason, hint = _lost_author(map(author_search, event.authors), look)
                repeated = f"repeats line {event.of_line}"
                people = "; ".join(event.authors)
                yield event.line, "", "", people, DUPLICATE, reason, f"{repeated}; {hint}" if hint else repeated
            case _:
                held = event
    if held is not None:
        yield _book_line(held, look, is_whole=is_whole)


def _book_line(
    book: Row | InlineBook, look: Look, repair: Repair | None = None, *, is_whole: bool
) -> Sequence[str | int] | None:
    search = book_search(book)
    authors = [author_search(name) for name in book.authors]
    if search is None:
        search, *authors = authors
    outcome, reason, hint = PENDING, "", ""
    try:
        settled = look(search)
    except KeyError:
        if not is_whole:
            return None
        outcome, reason, hint = SKIPPED, _NO_ISBN, _NO_ISBN_HINT
    else:
        if settled is not None:
            outcome, reason, hint = settled.outcome.value, settled.reason, settled.hint
    if not reason:
        reason, hint = _lost_author(authors, look)
    if not reason and repair is not None:
        reason, hint = repair.reason, repair.hint
    return book.line, book.isbn13, book.title, "; ".join(book.authors), outcome, reason, hint


def _lost_author(authors: Iterable[Search], look: Look) -> tuple[str, str]:
    """Why the search for one of a book's authors is not warm, though that of the book may be."""
    for author in authors:
        try:
            settled = look(author)
        except KeyError:
            # The job's strategy asks for books alone.
            continue
        if settled is not None and settled.outcome in _LOST:
            return settled.reason, f"the search for {author.q} {settled.outcome.value}: {settled.hint}"
    return "", ""
