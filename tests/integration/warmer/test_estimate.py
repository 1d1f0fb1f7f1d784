"""What a plan will cost."""

import pytest
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import UnavailableError
from tests.integration.warmer.house import DUNE, LIBRARY, House, Process


async def planned(process: Process, library: str = LIBRARY, **more: object) -> pb.WarmPlan:
    """The plan of a dry run."""
    library_id = (await process.upload(library)).library.id
    request = pb.WarmRequest(library_id=library_id, dry_run=True, **more)  # type: ignore[arg-type]  # by keyword
    return (await process.stub.Warm(request)).plan


def calls(plan: pb.WarmPlan) -> int:
    """Calls to the provider."""
    return plan.provider_calls[0].call_count


async def test_a_plan(house: House) -> None:
    """A dry run tells the searches by kind, what they cost, and how long that takes at the provider's rate."""
    async with house.process() as process:
        plan = await planned(process)
    assert (plan.search_count, plan.isbn_count, plan.author_count, plan.title_count, plan.covered_count) == (
        8,
        3,
        3,
        2,
        2,
    )
    # One call for all ISBNs, and one for each author, who brings the titles.
    assert (calls(plan), plan.estimated_duration_ms, plan.day_count) == (4, 1_000, 1)


async def test_a_dry_run_does_nothing(house: House) -> None:
    """No provider is called for a dry run, and no job is begun."""
    async with house.process() as process:
        await planned(process)
        jobs = await process.stub.ListWarmJobs(pb.ListWarmJobsRequest())
    assert (house.books.asked, list(jobs.jobs)) == ([], [])


async def test_a_dry_run_of_books_in_the_request_leaves_nothing(house: House) -> None:
    """The plan for books that stand in a request goes with its answer."""
    async with house.process() as process:
        request = pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE], authors=["Homer"]), dry_run=True)
        plan = (await process.stub.Warm(request)).plan
    assert (calls(plan), [found.key async for found in house.bucket.list()]) == (2, [])


async def test_what_is_fresh_costs_nothing(house: House) -> None:
    """Searches that the cache answers already are told, and cost no call."""
    async with house.process() as process:
        library = (await process.upload()).library
        await process.finished((await process.warm(library.id)).id)
        plan = await planned(process)
    assert (plan.fresh_count, calls(plan)) == (8, 0)


async def test_a_title_whose_author_is_cached_brings_the_author(house: House) -> None:
    """Where an author is cached and a title is not, the title costs the call."""
    house.books.keep("Jane Austen")
    async with house.process() as process:
        plan = await planned(process, "Title,Author\nEmma,Jane Austen\nPersuasion,Jane Austen\n")
    assert (plan.fresh_count, calls(plan)) == (1, 1)


async def test_a_title_alone_costs_two(house: House) -> None:
    """A title whose author nobody knows is asked for as a title and as a name."""
    async with house.process() as process:
        assert calls(await planned(process, "Title\nEmma\nUlysses\n")) == 4


async def test_a_batch_is_reckoned_as_a_whole(house: House) -> None:
    """What the searches of one batch share is counted once, wherever the looks into the cache are parted."""
    isbns = "".join(f",,{isbn(number)}\n" for number in range(1_000))
    async with house.process() as process:
        plan = await planned(process, "Title,Author,ISBN\n,Homer,\n" + isbns, strategy=pb.STRATEGY_AUTHOR_FIRST)
    assert (plan.search_count, calls(plan)) == (1_001, 2)


def isbn(number: int) -> str:
    """An ISBN with a right check digit."""
    body = f"978{number:09d}"
    return f"{body}{-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body)) % 10}"


async def test_partial_and_stale_answers_are_not_fresh(house: House) -> None:
    """An answer that is kept for a short time, or is past its time, is asked for anew and costs."""
    house.books.partial = {"Frank Herbert": 1}
    house.books.keep("Frank Herbert")
    house.books.keep("Jane Austen")
    house.books.stale = {"Jane Austen"}
    async with house.process() as process:
        plan = await planned(process)
    assert (plan.fresh_count, calls(plan)) == (0, 4)


async def test_what_is_left_of_the_day(house: House) -> None:
    """What warming may still spend today is told: not what people's searches are left."""
    async with house.process() as process:
        plan = await planned(process)
    assert plan.provider_calls[0].quota_left == 15_000 - 100 - 1_500


async def test_more_than_a_day(house: House) -> None:
    """A plan that takes more than what is left says how many days' quota it takes."""
    house.leaf.quota.day_limit, house.leaf.quota.day_used, house.leaf.quota.live_reserve = 4, 1, 1
    async with house.process() as process:
        plan = await planned(process)
    assert (calls(plan), plan.provider_calls[0].quota_left, plan.day_count) == (4, 2, 2)


async def test_a_leaf_that_does_not_tell(house: House) -> None:
    """Without the leaf's word the calls are foretold all the same, and what nobody knows is not made up."""
    house.leaf.failure = UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")
    async with house.process() as process:
        plan = await planned(process)
    assert (calls(plan), plan.provider_calls[0].quota_left, plan.estimated_duration_ms) == (4, -1, 0)


async def test_an_unreachable_proxy(house: House) -> None:
    """A plan that can't be reckoned is refused, not made up."""
    house.books.refusals = [UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")]
    async with house.process() as process:
        with pytest.raises(UnavailableError):
            await planned(process)


async def test_what_can_not_be_asked_for_costs_nothing(house: House) -> None:
    """A search that the proxy refuses makes no call, and is not fresh either."""
    house.books.refused = {"Frank Herbert": CallError(code="INVALID_ARGUMENT", reason="EMPTY_QUERY")}
    async with house.process() as process:
        plan = await planned(process)
    assert (plan.fresh_count, calls(plan)) == (0, 3)
