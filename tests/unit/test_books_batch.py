import asyncio

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.isbndb.v1 import isbndb_service_pb2 as leaf_pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE, ERROR_REASON_QUOTA_SPENT
from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_MEMORY, TIER_ORIGIN, Tier

from mesh.status import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from services.books import answering
from services.books.entry import decode
from services.books.outcomes import together
from tests.unit.books_house import DUNE, DUNE_10, EMMA, MESSIAH, UNKNOWN, FakeLeaf, House, open_house, work

DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
SPENT = ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, "spent", retry_after_s=60)


def told(answers: list[pb.BatchSearchAutoResponse]) -> list[str]:
    """Of each answer its first title, "" for none, or its reason."""
    return [
        answer.error.reason
        if answer.WhichOneof("outcome") == "error"
        else next((each.title for each in answer.response.results), "")
        for answer in answers
    ]


async def stored(it: House, key: str) -> pb.SearchAutoResponse:
    """What lies hot under a key, without what differs from call to call."""
    entry = decode(key, await it.hot.get(key) or b"")
    assert entry is not None
    response = entry.response()
    for outcome in response.providers:
        outcome.ClearField("duration_ms")
    return response


async def test_each_search_has_its_answer() -> None:
    """Every search of a batch is answered once, tied to its place and text."""
    async with open_house() as it:
        answers = await it.batch(DUNE, "Jane Austen", "dune messiah", UNKNOWN)
        assert [(answer.query_index, answer.q) for answer in answers] == [
            (0, DUNE),
            (1, "Jane Austen"),
            (2, "dune messiah"),
            (3, UNKNOWN),
        ]
        assert told(answers) == ["Dune", "Emma", "Dune Messiah", ""]


async def test_isbns_cost_one_call() -> None:
    """All ISBNs that are not cached are looked up together, each once."""
    async with open_house() as it:
        await it.batch(DUNE, MESSIAH, DUNE_10, EMMA, UNKNOWN, DUNE)
        request = it.leaf.requests[0]
        assert isinstance(request, leaf_pb.BatchGetBooksRequest)
        assert (list(request.isbns), it.leaf.calls.total()) == ([DUNE, MESSIAH, EMMA, UNKNOWN], 1)


async def test_cost_is_told_once() -> None:
    """The calls of a common look-up stand in one of its answers, so that sums are right."""
    async with open_house() as it:
        answers = await it.batch(DUNE, MESSIAH, EMMA)
        assert sum(answer.response.providers[0].call_count for answer in answers) == 1


async def test_thousand_searches() -> None:
    """A batch of a thousand ISBNs is one look-up."""
    works = [work(f"Book {at}", "A. Writer", isbns=[isbn13(at)]) for at in range(1_000)]
    async with open_house(FakeLeaf(works)) as it:
        answers = await it.batch(*(isbn13(at) for at in range(1_000)))
        assert (told(answers), it.leaf.calls.total()) == ([f"Book {at}" for at in range(1_000)], 1)


def isbn13(number: int) -> str:
    """A valid ISBN-13."""
    bare = f"978{number:09}"
    digits = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(bare))
    return f"{bare}{-digits % 10}"


async def test_cached_search_costs_nothing() -> None:
    """What is cached is answered from there, and not looked up with the rest."""
    async with open_house() as it:
        await it.search(DUNE)
        answers = await it.batch(DUNE, EMMA)
        assert [answer.response.provenance.tier for answer in answers] == [TIER_MEMORY, TIER_ORIGIN]
        assert list(it.leaf.requests[-1].isbns) == [EMMA]  # type: ignore[attr-defined]  # a BatchGetBooksRequest


@pytest.mark.parametrize(
    ("q", "tier"),
    [
        (DUNE, TIER_HOT),
        (UNKNOWN, TIER_HOT),
        ("dune", TIER_MEMORY),
        ("Frank Herbert", TIER_MEMORY),
        ("none", TIER_MEMORY),
    ],
)
async def test_answered_search_is_a_hit_at_once(q: str, tier: Tier.ValueType) -> None:
    """Whatever a batch answered is a hit for the search that comes next; ISBNs take nobody's place in memory."""
    async with open_house() as it:
        await it.batch(q)
        before = it.leaf.calls.total()
        found = await it.stub.SearchAuto(pb.SearchAutoRequest(q=q))
        assert (found.provenance.tier, it.leaf.calls.total()) == (tier, before)


async def test_renewed_answer_takes_its_place_in_memory() -> None:
    """What memory has of an ISBN is given no more once a batch has asked anew."""
    async with open_house() as it:
        await it.search(DUNE)
        it.leaf.works = [work("Dune, revised", "Frank Herbert", isbns=[DUNE])]
        it.clock.advance(1)
        await it.batch(pb.SearchAutoRequest(q=DUNE, cache_control=pb.CacheControl(no_cache=True)))
        found = await it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE))
        assert ([each.title for each in found.results], found.provenance.tier) == (["Dune, revised"], TIER_MEMORY)


async def test_answers_lie_in_every_tier_at_the_end() -> None:
    """When a batch has ended its answers lie hot and cold, and without the hot tier in memory as well."""
    async with open_house() as it:
        await it.batch(DUNE, EMMA)
        assert [await it.hot.get(f"v2:isbn:{q}") is not None for q in (DUNE, EMMA)] == [True, True]
        assert [await it.cold.get(f"v2:isbn:{q}") is not None for q in (DUNE, EMMA)] == [True, True]
        it.hot.down = True
        for q in (UNKNOWN, MESSIAH) * 3:
            await it.batch(pb.SearchAutoRequest(q=q, cache_control=pb.CacheControl(no_cache=True)))
        found = await it.stub.SearchAuto(pb.SearchAutoRequest(q=MESSIAH))
        assert found.provenance.tier == TIER_MEMORY


async def test_batch_joins_a_batch_under_way() -> None:
    """An ISBN that another batch is looking up is not looked up once more."""
    async with open_house() as it:
        it.leaf.gate.clear()
        first = asyncio.ensure_future(it.batch(DUNE, EMMA))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            second = asyncio.ensure_future(it.batch(EMMA, MESSIAH))
            while it.leaf.calls.total() < 2:  # noqa: ASYNC110 - the gate is shut, so nothing else can happen
                await asyncio.sleep(0)
            it.leaf.gate.set()
            answers = [told(await first), told(await second)]
        assert answers == [["Dune", "Emma"], ["Emma", "Dune Messiah"]]
        assert list(it.leaf.requests[1].isbns) == [MESSIAH]  # type: ignore[attr-defined]  # a BatchGetBooksRequest


async def test_batch_that_is_left_spoils_no_other() -> None:
    """ISBNs that were waited for are looked up together when the batch that asked for them is given up."""
    async with open_house() as it:
        it.leaf.gate.clear()
        queries = [pb.SearchAutoRequest(q=q) for q in (DUNE, EMMA)]
        call = it.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=queries))
        reading = asyncio.ensure_future(anext(aiter(call)))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            other = asyncio.ensure_future(it.batch(EMMA, DUNE))
            for _ in range(50):
                await asyncio.sleep(0)
            call.cancel()
            await it.leaf.abandoned.wait()
            it.leaf.gate.set()
            assert told(await other) == ["Emma", "Dune"]
        reading.cancel()
        assert it.leaf.calls == {"BatchGetBooks": 2}


async def test_search_joins_a_batch_under_way() -> None:
    """A search for an ISBN that a batch is looking up is answered by that, when it does not take long."""
    async with open_house() as it:
        it.leaf.gate.clear()
        batch = asyncio.ensure_future(it.batch(DUNE, EMMA))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            single = asyncio.ensure_future(it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE)))
            for _ in range(50):
                await asyncio.sleep(0)
            it.leaf.gate.set()
            await batch
            assert [each.title for each in (await single).results] == ["Dune"]
        assert it.leaf.calls == {"BatchGetBooks": 1}


async def test_search_stands_behind_no_batch_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search asks by itself where a batch has been looking its ISBN up for a while."""
    monkeypatch.setattr(answering, "_PROMISE_S", 0.0)
    async with open_house() as it:
        it.leaf.gate.clear()
        batch = asyncio.ensure_future(it.batch(DUNE, EMMA))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            single = asyncio.ensure_future(it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE)))
            while it.leaf.calls.total() < 2:  # noqa: ASYNC110 - the gate is shut, so nothing else can happen
                await asyncio.sleep(0)
            it.leaf.gate.set()
            await asyncio.gather(batch, single)
        assert it.leaf.calls == {"BatchGetBooks": 1, "GetBook": 1}


@pytest.mark.parametrize("q", [DUNE, UNKNOWN])
async def test_entry_is_that_of_a_single_search(q: str) -> None:
    """An ISBN of a batch is cached as a single search for it would be."""
    async with open_house() as one, open_house() as other:
        await one.search(q)
        await other.batch(q)
        key = f"v2:isbn:{q}"
        assert await stored(one, key) == await stored(other, key)


async def test_bad_search_spoils_no_other() -> None:
    """A search that can't be answered is refused with its reason and field; the others are answered."""
    async with open_house() as it:
        answers = await it.batch("", "9780441013594", DUNE)
        assert told(answers) == ["EMPTY_QUERY", "INVALID_ISBN", "Dune"]
        assert (answers[0].error.code, answers[0].error.metadata["field"]) == ("INVALID_ARGUMENT", "q")


async def test_failed_lookup_fails_isbns_alone() -> None:
    """When the common look-up fails, texts are answered all the same, and no ISBN is "not found"."""
    async with open_house(FakeLeaf(failures={"BatchGetBooks": DOWN})) as it:
        answers = await it.batch(DUNE, EMMA, "dune")
        assert told(answers) == ["ALL_PROVIDERS_FAILED", "ALL_PROVIDERS_FAILED", "Dune"]


async def test_spent_quota_tells_when_to_come_back() -> None:
    """A spent quota is told as such, with the milliseconds to its end."""
    async with open_house(FakeLeaf(failures={"*": SPENT})) as it:
        error = (await it.batch(DUNE))[0].error
        assert (error.code, error.reason, error.metadata["retry_after_ms"]) == (
            "RESOURCE_EXHAUSTED",
            "QUOTA_SPENT",
            "60000",
        )


async def test_failure_is_asked_anew() -> None:
    """An ISBN whose look-up failed is looked up by the next batch."""
    async with open_house(FakeLeaf(failures={"*": DOWN})) as it:
        await it.batch(DUNE)
        it.leaf.failures.clear()
        assert told(await it.batch(DUNE)) == ["Dune"]


async def test_only_if_cached_asks_nobody() -> None:
    """only_if_cached is honoured search by search, and such an ISBN is not looked up."""
    async with open_house() as it:
        await it.search(EMMA)
        control = pb.CacheControl(only_if_cached=True)
        answers = await it.batch(*(pb.SearchAutoRequest(q=q, cache_control=control) for q in (DUNE, EMMA, "dune")))
        assert (told(answers), it.leaf.calls) == (["NOT_CACHED", "Emma", "NOT_CACHED"], {"GetBook": 1})


async def test_only_if_cached_is_not_looked_up_with_others() -> None:
    """An ISBN that nobody may be asked for is not among those that are looked up."""
    async with open_house() as it:
        control = pb.CacheControl(only_if_cached=True)
        await it.batch(pb.SearchAutoRequest(q=DUNE, cache_control=control), EMMA)
        assert list(it.leaf.requests[0].isbns) == [EMMA]  # type: ignore[attr-defined]  # a BatchGetBooksRequest


async def test_no_cache_looks_up_anew() -> None:
    """no_cache is honoured search by search."""
    async with open_house() as it:
        await it.search(DUNE)
        it.leaf.works = [work("Dune, revised", "Frank Herbert", isbns=[DUNE])]
        request = pb.SearchAutoRequest(q=DUNE, cache_control=pb.CacheControl(no_cache=True))
        assert told(await it.batch(request)) == ["Dune, revised"]


async def test_max_results_is_each_searchs_own() -> None:
    """Searches of one key with different numbers of results share the providers' answer."""
    async with open_house() as it:
        answers = await it.batch(pb.SearchAutoRequest(q="dune", max_results=1), pb.SearchAutoRequest(q="dune"))
        assert [len(answer.response.results) for answer in answers] == [1, 2]
        assert it.leaf.calls["SearchBooks"] == 1


async def test_slow_provider_holds_up_no_hit() -> None:
    """What is cached is given while the providers are still being asked."""
    async with open_house() as it:
        await it.search(EMMA)
        it.leaf.gate.clear()
        queries = [pb.SearchAutoRequest(q=q) for q in (DUNE, "dune", EMMA)]
        call = it.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=queries))
        async with asyncio.timeout(5):
            first = await anext(aiter(call))
        call.cancel()
        assert first.query_index == 2


async def test_batch_that_is_left_stops_asking() -> None:
    """When the caller of a batch goes away, the providers are not asked any longer."""
    async with open_house() as it:
        it.leaf.gate.clear()
        call = it.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=[pb.SearchAutoRequest(q=DUNE)]))
        reading = asyncio.ensure_future(anext(aiter(call)))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            call.cancel()
            await it.leaf.abandoned.wait()
        reading.cancel()
        assert it.leaf.calls == {"BatchGetBooks": 1}


async def test_a_caller_that_takes_its_time_holds_up_no_other() -> None:
    """While nobody takes the cached answers of one batch, the next batch is looked for and answered."""
    async with open_house() as it:
        await it.search(DUNE)
        batch = it.state.batch
        slow = batch.answers([pb.SearchAutoRequest(q=DUNE)] * 1_000, is_batch=True)
        async with asyncio.timeout(5):
            await anext(slow)
            quick = [answer async for answer in batch.answers([pb.SearchAutoRequest(q=EMMA)], is_batch=True)]
            rest = [answer async for answer in slow]
        assert (len(quick), len(rest)) == (1, 999)


async def test_batch_joins_a_search_under_way() -> None:
    """An ISBN that somebody is already asking for is not looked up a second time."""
    async with open_house() as it:
        it.leaf.gate.clear()
        single = asyncio.ensure_future(it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE)))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            batch = asyncio.ensure_future(it.batch(DUNE, EMMA))
            while it.leaf.calls.total() < 2:  # noqa: ASYNC110 - the gate is shut, so nothing else can happen
                await asyncio.sleep(0)
            it.leaf.gate.set()
            answers = await batch
            await single
        assert (told(answers), list(it.leaf.requests[1].isbns)) == (["Dune", "Emma"], [EMMA])  # type: ignore[attr-defined]  # a BatchGetBooksRequest


async def test_search_under_way_that_came_to_nothing() -> None:
    """An ISBN whose search elsewhere ended before it could be joined is looked up by itself."""
    async with open_house() as it:
        it.state.search.is_under_way = lambda key: key.endswith(DUNE)  # type: ignore[method-assign]  # so it seemed
        assert told(await it.batch(DUNE, EMMA)) == ["Dune", "Emma"]
        assert sorted(list(each.isbns) for each in it.leaf.requests) == [[EMMA], [DUNE]]  # type: ignore[attr-defined]  # BatchGetBooksRequests


async def test_stores_down() -> None:
    """With both tiers down a batch is answered by the providers."""
    async with open_house() as it:
        it.hot.down = it.cold.down = True
        assert told(await it.batch(DUNE, "Jane Austen")) == ["Dune", "Emma"]


@pytest.mark.parametrize(("count", "reason"), [(0, "INVALID_FIELD"), (1_001, "TOO_MANY_ITEMS")])
async def test_bad_batch_is_refused(count: int, reason: str) -> None:
    """A batch without searches, or with too many, is refused as a whole."""
    async with open_house() as it:
        with pytest.raises(InvalidArgumentError) as caught:
            await it.batch(*["dune"] * count)
        assert caught.value.reason == reason


@pytest.mark.parametrize(("most", "messages"), [(0, 5), (1, 5), (2, 3), (64, 1)])
async def test_outcomes_come_together(most: int, messages: int) -> None:
    """As many outcomes as the request lets come in one response, each as it would come by itself."""
    queries = [pb.SearchAutoRequest(q=q) for q in (DUNE, MESSIAH, EMMA, UNKNOWN, "x" * 513)]
    async with open_house() as it:
        alone = await it.batch(*queries)
        request = pb.BatchSearchAutoRequest(queries=queries, outcomes_per_response=most)
        responses = [response async for response in it.stub.BatchSearchAuto(request)]
        each = [one for response in responses for one in (response, *response.others)]
        ordered = sorted(each, key=lambda one: one.query_index)
        assert (len(responses) <= messages, len(ordered), told(ordered)) == (True, 5, told(alone))
        assert all(not one.others for response in responses for one in response.others)


def test_outcomes_together_stay_small() -> None:
    """Outcomes come in no larger messages than go over every wire, in their order, and a large one comes alone."""
    outcomes = [
        pb.BatchSearchAutoResponse(query_index=at, q="q" * size).SerializeToString()
        for at, size in enumerate([10, 200_000, 100_000, 300_000, 10, 10])
    ]
    found = [pb.BatchSearchAutoResponse.FromString(data) for data in together(outcomes, 64)]
    assert [[one.query_index for one in (each, *each.others)] for each in found] == [[0, 1], [2], [3], [4, 5]]
    assert list(together([], 64)) == []
