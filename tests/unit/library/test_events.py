"""What was found in a library, at rest."""

import io

from services.warmer.library.events import Duplicate, Event, EventWriter, events_in
from services.warmer.library.rows import Reject, Repair, Row


def test_there_and_back() -> None:
    """Events come out of a file as they went in, in their order, however many there are."""
    some: list[Event] = [
        Row(2, "Dune", ("Frank Herbert", "谷口 ジロー"), "9780441013593"),
        Repair(2, "WRONG_CHECK_DIGIT", "why"),
        Duplicate(3, 2, ("Frank Herbert",)),
        Reject(4, "NO_TITLE_OR_ISBN", "how", "text"),
    ]
    file = io.BytesIO()
    writer = EventWriter(file)
    for event in some * 3_000:
        writer.add(event)
    writer.flush()
    writer.flush()
    assert list(events_in(file)) == some * 3_000


def test_nothing() -> None:
    """A file without events has none."""
    assert list(events_in(io.BytesIO())) == []
