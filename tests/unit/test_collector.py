import gc
from collections.abc import Iterator

import pytest

from mesh.hosting import collector


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leaves the collector as it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("as_before")
def test_what_was_there_is_looked_at_no_more() -> None:
    """What a process has started with is in no later look, and what comes later is."""
    kept = [object()]
    collector.settle()
    later = [object()]
    assert gc.get_freeze_count() > 10_000
    assert [any(each is known for known in gc.get_objects()) for each in (kept, later)] == [False, True]


@pytest.mark.usefixtures("as_before")
def test_circles_are_still_found() -> None:
    """A circle that is made later is found by itself, once enough is made after it."""
    collector.settle()
    circle: list[object] = []
    circle.append(circle)
    before = gc.get_stats()[0]["collected"]
    del circle
    kept = [[] for _ in range(collector.YOUNG + 1)]  # type: list[list[object]]
    assert (len(kept), gc.get_stats()[0]["collected"] > before) == (collector.YOUNG + 1, True)
