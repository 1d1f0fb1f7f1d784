"""What a plan will cost."""

import pytest
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import UnavailableError
from services.warmer.settings import PACES
from tests.unit.warmer_house import EMMA, House, Process

ISBNS = "ISBN\n" + "".join(f"{number}\n" for number in ("9780441013593", EMMA, "9780000000002"))


async def planned(process: Process, library: str | None = None, **more: object) -> pb.WarmPlan:
    """The plan for a library, with nothing done."""
    library_id = (await (process.upload() if library is None else process.upload(library))).library.id
    request = pb.WarmRequest(library_id=library_id, dry_run=True, **more)  # type: ignore[arg-type]  # fields by keyword
    return (await process.stub.Warm(request)).plan


async def test_a_plan() -> None:
    """A dry run counts the searches by kind, and what they cost at least: a call for all ISBNs, two for a text."""
    async with House().process() as process:
        plan = await planned(process)
    assert plan == pb.WarmPlan(
        search_count=8,
        fresh_count=0,
        isbn_count=3,
        author_count=3,
        title_count=2,
        provider_calls=[pb.ProviderCalls(provider="isbndb", call_count=11, quota_left=-1)],
        estimated_duration_ms=11_000,
    )


async def test_a_dry_run_does_nothing() -> None:
    """No provider is called, and no job begins."""
    house = House()
    async with house.process() as process:
        await planned(process)
        jobs = (await process.stub.ListWarmJobs(pb.ListWarmJobsRequest())).jobs
    assert (house.books.call_count, list(jobs)) == (0, [])


async def test_what_is_fresh_costs_nothing() -> None:
    """After the job, everything is fresh, and another would make no call."""
    async with House().process() as process:
        library = (await process.upload()).library
        await process.finished((await process.warm(library.id)).id)
        plan = await planned(process)
    assert (plan.fresh_count, plan.provider_calls[0].call_count, plan.estimated_duration_ms) == (8, 0, 0)


@pytest.mark.parametrize("strategy", [pb.STRATEGY_ISBN, pb.STRATEGY_HYBRID, pb.STRATEGY_AUTHOR_FIRST])
async def test_the_job_costs_what_the_plan_said(strategy: pb.Strategy.ValueType) -> None:
    """The calls that a job makes are those of its plan, where each text costs the two that it should."""
    async with House().process() as process:
        plan = await planned(process, strategy=strategy)
        job = await process.warm((await process.upload()).library.id, strategy=strategy)
        ended = await process.finished(job.id)
    assert plan.provider_calls[0].call_count == ended.progress.provider_call_count


@pytest.mark.parametrize(("subscription", "calls"), [("basic", 3), ("premium", 2), ("pro", 2), ("enterprise", 2)])
async def test_bulk_look_ups(subscription: str, calls: int) -> None:
    """ISBNs cost a call for as many as the subscription looks up at once, and for each batch."""
    isbns = "ISBN\n" + "".join(f"{_isbn(number)}\n" for number in range(1_150))
    house = House()
    async with house.process(ISBNDB_PLAN=subscription) as process:
        for number in range(850):
            house.books.keep(_isbn(number))
        plan = await planned(process, isbns)
    assert (plan.isbn_count, plan.provider_calls[0].call_count) == (1_150, calls + (subscription == "basic"))


def _isbn(number: int) -> str:
    body = f"978{number:09d}"
    check = -sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body)) % 10
    return f"{body}{check}"


async def test_partial_and_stale_answers_are_not_fresh() -> None:
    """An answer past its time will be asked for again, so it is not counted as fresh."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        await process.finished((await process.warm(library.id)).id)
        house.books.stale = {"Jane Austen"}
        plan = await planned(process)
    assert (plan.fresh_count, plan.provider_calls[0].call_count) == (7, 2)


@pytest.mark.parametrize("subscription", PACES)
async def test_time_goes_by_the_rate(subscription: str) -> None:
    """The least time is what the subscription's rate leaves between the first call and the last."""
    async with House().process(ISBNDB_PLAN=subscription) as process:
        plan = await planned(process)
    assert plan.estimated_duration_ms == round(10 * PACES[subscription].interval_s * 1000)


async def test_an_unreachable_proxy() -> None:
    """A plan that can't be reckoned is refused, not made up."""
    house = House()
    house.books.refusals = [UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")]
    async with house.process() as process:
        with pytest.raises(UnavailableError):
            await planned(process)


async def test_what_can_not_be_asked_for_costs_nothing() -> None:
    """A search that the proxy refuses makes no call, and is not fresh either."""
    house = House()
    house.books.refused = {"Nobody": CallError(code="INVALID_ARGUMENT", reason="EMPTY_QUERY")}
    async with house.process() as process:
        plan = await planned(process)
    assert (plan.fresh_count, plan.provider_calls[0].call_count) == (0, 9)
