from dataclasses import dataclass, field

import pytest
from bookmesh.isbndb.v1 import isbndb_service_pb2 as leaf_pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE

from mesh.context import Context
from mesh.status import UnavailableError
from mesh.testing import FakeClock, in_process
from services.books.providers.isbndb_bibliography import LAST_PAGE, PAGE_SIZE, IsbndbBibliography
from tests.unit.books_house import FakeLeaf, work

MANY = [work(f"Volume {at:04}", "Prolific Writer", isbns=[f"97800000{at:05}"]) for at in range(1_200)]
DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "ISBNdb is down")


@dataclass(slots=True)
class BreakingLeaf(FakeLeaf):
    """A leaf that fails from one page on."""

    sound_pages: int = 0

    async def AuthorBibliography(
        self, request: leaf_pb.AuthorBibliographyRequest, context: Context
    ) -> leaf_pb.AuthorBibliographyResponse:
        """A page, or the failure."""
        if request.language != "*" and request.page > self.sound_pages:
            raise DOWN
        return await FakeLeaf.AuthorBibliography(self, request, context)


@dataclass(slots=True)
class SlowLeaf(FakeLeaf):
    """A leaf each of whose pages takes a second."""

    clock: FakeClock = field(default_factory=FakeClock)

    async def AuthorBibliography(
        self, request: leaf_pb.AuthorBibliographyRequest, context: Context
    ) -> leaf_pb.AuthorBibliographyResponse:
        """A page."""
        self.clock.advance(1)
        return await FakeLeaf.AuthorBibliography(self, request, context)


@dataclass(slots=True)
class ExactLeaf(FakeLeaf):
    """A leaf that knows a name in the order of its words alone."""

    async def AuthorBibliography(
        self, request: leaf_pb.AuthorBibliographyRequest, context: Context
    ) -> leaf_pb.AuthorBibliographyResponse:
        """A page of the name's, or nothing."""
        answer = await FakeLeaf.AuthorBibliography(self, request, context)
        if any(author.name == request.author for each in answer.works for author in each.authors):
            return answer
        return leaf_pb.AuthorBibliographyResponse(page=request.page, provider_call_count=1)


def provider(leaf: FakeLeaf, clock: FakeClock | None = None) -> IsbndbBibliography:
    """ISBNdb behind a leaf of a test's."""
    return IsbndbBibliography(in_process(IsbndbServiceStub, leaf), clock=clock or FakeClock())


async def test_one_call_for_nearly_everybody() -> None:
    """An author whose editions fit one page costs one call, which asks for every language."""
    leaf = FakeLeaf()
    found = await provider(leaf).bibliography("Frank Herbert", language="en")
    assert ([each.title for each in found.works], found.call_count, found.gaps) == (["Dune", "Dune Messiah"], 1, ())
    assert leaf.requests == [
        leaf_pb.AuthorBibliographyRequest(author="Frank Herbert", page=1, page_size=PAGE_SIZE, language="*")
    ]


async def test_all_pages_in_the_language() -> None:
    """Of an author with more editions all pages in the language come, and it is said what they leave out."""
    leaf = FakeLeaf(works=MANY)
    found = await provider(leaf).bibliography("Prolific Writer", language="en")
    assert ({each.title for each in found.works}, found.call_count) == ({each.title for each in MANY}, 4)
    assert list(found.gaps) == [
        "isbndb has more than 500 editions, and of the rest those that name no language are missing."
    ]


async def test_smaller_pages_of_the_leaf_are_followed() -> None:
    """A leaf that is set to smaller pages is asked for all of them."""
    found = await provider(FakeLeaf(works=MANY[:700], page_limit=50)).bibliography("Prolific Writer", language="en")
    assert ({each.title for each in found.works}, found.call_count) == ({each.title for each in MANY[:700]}, 15)


async def test_no_list_is_endless() -> None:
    """After the last page that ISBNdb gives no more are asked for, and it is said."""
    leaf = FakeLeaf(works=MANY, page_limit=10)
    found = await provider(leaf).bibliography("Prolific Writer", language="en")
    assert (found.call_count, found.gaps[-1]) == (1 + LAST_PAGE, "isbndb gives at most 10,000 editions of an author.")


async def test_list_that_breaks_off() -> None:
    """What came before a failure counts, and the failure is told."""
    leaf = BreakingLeaf(works=MANY, sound_pages=1)
    found = await provider(leaf).bibliography("Prolific Writer", language="en")
    assert found.failure is not None
    assert (len({each.title for each in found.works}), found.call_count, found.failure.reason) == (500, 2, DOWN.reason)


async def test_failure_before_anything_came() -> None:
    """A failure that comes first is the answer."""
    with pytest.raises(UnavailableError) as caught:
        await provider(FakeLeaf(failures={"*": DOWN})).bibliography("Frank Herbert", language="en")
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


async def test_pages_share_the_time() -> None:
    """Each page has what is left of the time of all."""
    clock = FakeClock()
    leaf = SlowLeaf(works=MANY, clock=clock)
    await provider(leaf, clock).bibliography("Prolific Writer", language="en", limit_s=60)
    assert [round(left or 0) for left in leaf.left_s] == [60, 59, 58, 57]


async def test_time_that_is_over() -> None:
    """When the time is over the pages so far are given, with the failure."""
    clock = FakeClock()
    found = await provider(SlowLeaf(works=MANY, clock=clock), clock).bibliography(
        "Prolific Writer", language="en", limit_s=1.5
    )
    assert (len(found.works) >= PAGE_SIZE, found.failure is None) == (True, False)


@pytest.mark.parametrize(("batch", "calls"), [(False, 2), (True, 1)])
async def test_turned_name(
    batch: bool,  # noqa: FBT001 - a parameter of the test
    calls: int,
) -> None:
    """A name of two words that is not known is asked for turned round, while somebody waits."""
    leaf = ExactLeaf()
    found = await provider(leaf).bibliography("Herbert Frank", language="en", batch=batch)
    assert (bool(found.works), leaf.calls["AuthorBibliography"]) == (not batch, calls)
