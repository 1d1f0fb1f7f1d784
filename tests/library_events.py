"""What a library holds, in the form in which the samples' expectations have it."""

from collections.abc import Iterable, Iterator

from services.warmer.library.events import Duplicate, Event
from services.warmer.library.rows import Reject, Repair, Row

Told = list[int | str | list[str]]


def told(events: Iterable[Event]) -> Iterator[Told]:
    """Each event in a line of JSON."""
    for event in events:
        match event:
            case Row():
                yield [event.line, "book", event.title, list(event.authors), event.isbn13]
            case Duplicate():
                yield [event.line, "repeats", event.of_line]
            case Reject():
                yield [event.line, "rejected", event.reason]
            case Repair():
                yield [event.line, "mended", event.reason]
