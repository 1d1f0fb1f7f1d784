import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from bookmesh.mesh.v1 import error_reason_pb2 as reasons
from bookmesh.type.v1.book_pb2 import Edition, Work

from mesh.status import FailedPreconditionError, MeshError, UnavailableError
from services.books.answers import Answer
from services.books.panel import PATIENT_S, RESERVE_S, Panel, Policy, is_complete
from services.books.providers.protocol import Found, Provider
from services.books.query import Query, parse
from tests.unit.books_house import DUNE, MESSIAH, work
from tests.unit.virtual_time import VirtualTime

DOWN = UnavailableError(reasons.ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
UNSET = FailedPreconditionError(reasons.ERROR_REASON_SECRET_MISSING, "no key")

NOTHING = Found(call_count=1)
SOME = Found(works=[work("Dune", "Frank Herbert", isbns=[DUNE])], call_count=1)
WHOLE_EDITION = Edition(isbn_13=DUNE, publisher="Ace", publication_date="2005", page_count=528, language="en")
WHOLE = Found(works=[Work(title="Dune", authors=SOME.works[0].authors, editions=[WHOLE_EDITION])], call_count=1)

NAMES = ("isbndb", "google_books", "open_library")


@dataclass(slots=True)
class FakeProvider:
    """A provider that takes its time, and then answers or fails; it remembers how it was asked."""

    name: str
    time: VirtualTime
    outcome: Found | MeshError = NOTHING
    after_s: float = 0.0
    asked_at: list[float] = field(default_factory=list)
    limits_s: list[float | None] = field(default_factory=list)
    batch: list[bool] = field(default_factory=list)
    cancelled: int = 0

    async def find(self, query: Query, *, limit_s: float | None = None, batch: bool = False) -> Found:
        """What it was told to answer, when its time is over."""
        self.asked_at.append(self.time())
        self.limits_s.append(limit_s)
        self.batch.append(batch)
        try:
            await self.time.sleep(self.after_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.outcome, MeshError):
            raise self.outcome
        return self.outcome


@dataclass(slots=True)
class FakeBulkProvider(FakeProvider):
    """One that also looks many ISBNs up at once."""

    async def find_isbns(self, isbns: Sequence[str], *, limit_s: float | None = None) -> Mapping[str, Found]:
        """What it was told to answer, for each."""
        return dict.fromkeys(isbns, await self.find(parse(isbns[0]), limit_s=limit_s, batch=True))


@dataclass(slots=True)
class Room:
    """A panel, those on it, and their time."""

    isbndb: FakeProvider
    google: FakeProvider
    library: FakeProvider
    time: VirtualTime
    panel: Panel

    async def ask(self, q: str, *, patient: bool = False, left_s: float | None = None) -> list[Answer]:
        """What came of a search."""
        return list(await self.time.run(self.panel.ask(parse(q), patient=patient, left_s=left_s)))

    @property
    def took_s(self) -> float:
        """Seconds since the start."""
        return round(self.time() - 1_000.0, 6)


def room(
    isbndb: tuple[Found | MeshError, float],
    google: tuple[Found | MeshError, float],
    library: tuple[Found | MeshError, float],
) -> Room:
    """A panel of three, by what each answers after how many seconds."""
    time = VirtualTime()
    first = FakeBulkProvider("isbndb", time, *isbndb)
    second, third = FakeProvider("google_books", time, *google), FakeProvider("open_library", time, *library)
    policy = Policy(order=NAMES, batch_order=("isbndb", "open_library"), wait_s=2.5, head_start_s=0.4)
    providers: dict[str, Provider] = {"isbndb": first, "google_books": second, "open_library": third}
    return Room(first, second, third, time, Panel(providers, policy, clock=time, sleep=time.sleep))


def told(answers: Sequence[Answer]) -> list[str]:
    """What became of each, in a word."""
    return [
        "skipped" if each.skipped else each.error.reason if each.error else "found" if each.found.works else "nothing"  # type: ignore[union-attr]  # neither skipped nor failed
        for each in answers
    ]


async def test_text_is_asked_side_by_side() -> None:
    """A text takes as long as the slowest provider, not as long as all of them."""
    it = room((SOME, 0.3), (NOTHING, 0.5), (SOME, 1.0))
    answers = await it.ask("dune")
    assert told(answers) == ["found", "nothing", "found"]
    assert [each.provider for each in answers] == list(NAMES)
    assert [round(each.duration_ms) for each in answers] == [300, 500, 1000]
    assert it.took_s == 1.0


async def test_others_are_not_waited_for_without_end() -> None:
    """Once one has found something, the others have their wait; who has not answered then is named and given up."""
    it = room((SOME, 0.3), (SOME, 2.7), (SOME, 60))
    answers = await it.ask("dune")
    assert told(answers) == ["found", "found", "PROVIDER_TIMEOUT"]
    assert (it.took_s, it.library.cancelled) == (2.8, 1)


async def test_nothing_found_is_no_reason_to_hurry() -> None:
    """While nobody has found anything the others are waited for, however long that is."""
    it = room((NOTHING, 0.1), (DOWN, 0.2), (SOME, 9.0))
    assert told(await it.ask("dune")) == ["nothing", "PROVIDER_UNAVAILABLE", "found"]
    assert it.took_s == 9.0


async def test_caller_time_is_the_limit() -> None:
    """Nobody is waited for past the time of whoever asks, less what an answer needs to get back."""
    it = room((NOTHING, 0.1), (SOME, 0.8), (SOME, 5.0))
    answers = await it.ask("dune", left_s=1.0)
    assert told(answers) == ["nothing", "found", "PROVIDER_TIMEOUT"]
    assert it.took_s == pytest.approx(1.0 - RESERVE_S)


async def test_while_nobody_has_answered_the_panel_goes_on() -> None:
    """A caller out of time leaves by itself; others may wait for the same, and get what comes first."""
    it = room((SOME, 2), (SOME, 3), (SOME, 3))
    assert told(await it.ask("dune", left_s=1.0)) == ["found", "PROVIDER_TIMEOUT", "PROVIDER_TIMEOUT"]
    assert it.took_s == pytest.approx(2.0)


async def test_complete_isbn_record_needs_no_second_opinion() -> None:
    """A complete record of the first provider ends it; the others are not called."""
    it = room((WHOLE, 0.3), (WHOLE, 0), (WHOLE, 0))
    assert told(await it.ask(DUNE)) == ["found", "skipped", "skipped"]
    assert (it.took_s, it.google.asked_at, it.library.asked_at) == (0.3, [], [])


@pytest.mark.parametrize("outcome", [SOME, NOTHING, DOWN])
async def test_others_follow_where_the_first_has_less(outcome: Found | MeshError) -> None:
    """When the first provider's record has gaps, or it has none, or it fails, the others are asked at once."""
    it = room((outcome, 0.1), (SOME, 0.2), (SOME, 0.3))
    await it.ask(DUNE)
    assert [it.google.asked_at, it.library.asked_at] == [[1_000.1], [1_000.1]]
    assert it.took_s == pytest.approx(0.4)


async def test_others_follow_after_the_head_start() -> None:
    """A first provider that takes its time is not waited for alone, and what it says in the end still counts."""
    it = room((SOME, 1.0), (SOME, 0.2), (SOME, 0.2))
    assert told(await it.ask(DUNE)) == ["found"] * 3
    assert it.google.asked_at == [1_000.4]
    assert it.took_s == 1.0


async def test_complete_record_of_another_ends_it_too() -> None:
    """Whoever has the complete record, those who have not answered yet are not needed any more, and stopped."""
    it = room((SOME, 5.0), (WHOLE, 0.2), (SOME, 9.0))
    assert told(await it.ask(DUNE)) == ["skipped", "found", "skipped"]
    assert (it.took_s, it.isbndb.cancelled, it.library.cancelled) == (0.6, 1, 1)


async def test_provider_that_is_not_set_up_leaves_its_place_to_the_next() -> None:
    """Where the first has no key, the next has the head start in its place."""
    it = room((UNSET, 0), (WHOLE, 0.3), (WHOLE, 0))
    assert told(await it.ask(DUNE)) == ["SECRET_MISSING", "found", "skipped"]
    assert it.library.asked_at == []


async def test_slow_second_is_not_waited_for_alone_either() -> None:
    """The one that takes the first one's place has a head start and no more."""
    it = room((UNSET, 0), (SOME, 1.0), (SOME, 0.1))
    await it.ask(DUNE)
    assert [it.google.asked_at, it.library.asked_at] == [[1_000.0], [1_000.4]]


async def test_patient_work_asks_one_provider() -> None:
    """Work that nobody waits for asks the first of its order alone, with all the time that it needs."""
    it = room((NOTHING, 20.0), (SOME, 0), (SOME, 0))
    assert told(await it.ask("dune", patient=True)) == ["nothing", "skipped", "skipped"]
    assert (it.isbndb.limits_s, it.isbndb.batch) == ([PATIENT_S], [True])


async def test_patient_work_turns_to_the_next_for_want_of_a_key_alone() -> None:
    """Where the first has no key the next is asked; where it fails nobody else is."""
    unset = room((UNSET, 0), (SOME, 0), (SOME, 1.0))
    assert told(await unset.ask("dune", patient=True)) == ["SECRET_MISSING", "skipped", "found"]
    down = room((DOWN, 0), (SOME, 0), (SOME, 0))
    assert told(await down.ask("dune", patient=True)) == ["PROVIDER_UNAVAILABLE", "skipped", "skipped"]


async def test_patient_isbns_are_looked_up_together() -> None:
    """A provider that looks many ISBNs up at once is asked once for all of them; what it fails with each is told."""
    it = room((WHOLE, 0.5), (SOME, 0), (SOME, 0))
    found = await it.time.run(it.panel.ask_isbns([MESSIAH, DUNE]))
    assert found is not None
    assert [told(found(isbn)) for isbn in (MESSIAH, DUNE)] == [["found", "skipped", "skipped"]] * 2
    assert (it.isbndb.limits_s, found(DUNE)[0].duration_ms) == ([PATIENT_S], 500.0)
    it.isbndb.outcome = DOWN
    failed = await it.time.run(it.panel.ask_isbns([MESSIAH, DUNE]))
    assert failed is not None
    assert [told(failed(isbn)) for isbn in (MESSIAH, DUNE)] == [["PROVIDER_UNAVAILABLE", "skipped", "skipped"]] * 2


async def test_who_can_not_look_many_up_is_asked_for_each() -> None:
    """Where the first has no key, and the next can't look many ISBNs up at once, they are not looked up together."""
    it = room((UNSET, 0), (SOME, 0), (SOME, 0))
    assert await it.time.run(it.panel.ask_isbns([MESSIAH, DUNE])) is None
    assert it.library.asked_at == []


async def test_text_is_looked_up_as_is_said() -> None:
    """A provider is asked for a text in the way that is said for it, and as ever where none is."""

    def lookup(provider: Provider) -> Awaitable[Found] | None:
        return provider.find(parse("another"), limit_s=7.0) if provider.name == "isbndb" else None

    it = room((UNSET, 0), (SOME, 0), (SOME, 0))
    answers = await it.time.run(it.panel.ask(parse("dune"), patient=True, lookup=lookup))
    assert told(answers) == ["SECRET_MISSING", "skipped", "found"]
    assert (it.isbndb.limits_s, it.library.limits_s) == ([7.0], [PATIENT_S])


@pytest.mark.parametrize("q", ["dune", DUNE])
async def test_cancelled_caller_cancels_what_it_began(q: str) -> None:
    """When whoever asked goes away, nobody goes on looking."""
    it = room((SOME, 60), (SOME, 60), (SOME, 60))
    asking = asyncio.ensure_future(it.panel.ask(parse(q), patient=False))
    await it.time.run_for(1.0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert [it.isbndb.cancelled, it.google.cancelled, it.library.cancelled] == [1, 1, 1]


@pytest.mark.parametrize("gap", ["publisher", "publication_date", "page_count", "language", "isbn_13"])
def test_record_with_a_gap_is_not_complete(gap: str) -> None:
    """A record is complete when nothing of the edition is left open."""
    edition = Edition()
    edition.CopyFrom(WHOLE_EDITION)
    edition.ClearField(gap)  # type: ignore[arg-type]  # the names above are fields
    gapped = Work(title="Dune", authors=SOME.works[0].authors, editions=[edition])
    assert is_complete(WHOLE, DUNE)
    assert not is_complete(Found(works=[gapped]), DUNE)
    assert not is_complete(WHOLE, MESSIAH)
