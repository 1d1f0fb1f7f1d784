import asyncio
from collections.abc import Awaitable

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.isbndb.v1 import isbndb_service_pb2 as leaf_pb
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    ERROR_REASON_QUOTA_SPENT,
)
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN
from google.protobuf.duration_pb2 import Duration

from mesh.config.breaker_settings import BreakerSettings
from mesh.status import (
    DeadlineExceededError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from tests.unit.books_house import CATALOGUE, DUNE, DUNE_10, UNKNOWN, FakeLeaf, open_house, work

DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
SPENT = ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, "spent", retry_after_s=60)


def titles(response: pb.SearchAutoResponse) -> list[str]:
    """The titles of an answer."""
    return [work.title for work in response.results]


async def test_isbn_comes_from_the_leaf() -> None:
    """An ISBN that no tier knows is answered by the leaf, and says so."""
    async with open_house() as it:
        found = await it.search(DUNE)
        assert (titles(found), found.provenance.tier, found.provenance.stale) == (["Dune"], TIER_ORIGIN, False)


async def test_second_search_is_a_hit() -> None:
    """What was answered once is answered from memory, without a provider."""
    async with open_house() as it:
        await it.search(DUNE)
        found = await it.search(DUNE)
        assert (titles(found), found.provenance.tier, it.leaf.calls.total()) == (["Dune"], TIER_MEMORY, 1)


@pytest.mark.parametrize("q", [DUNE_10, "0-441-01359-7", "978-0-441-01359-3", f"ISBN {DUNE}", '="0441013597"'])
async def test_isbn_in_any_form_is_one_key(q: str) -> None:
    """An ISBN-10 and an ISBN-13 of one book, hyphens or not, share their answer."""
    async with open_house() as it:
        await it.search(DUNE)
        assert (await it.search(q)).provenance.tier == TIER_MEMORY


async def test_number_of_results_shares_an_entry() -> None:
    """Searches for one result and for forty share an answer, and each gets its own number."""
    works = [work(f"Dune {at}", "Frank Herbert", isbns=[f"{at}"]) for at in range(60)]
    async with open_house(FakeLeaf(works)) as it:
        counts = [len((await it.search("dune", max_results=wanted)).results) for wanted in (1, 0, 60)]
        assert (counts, it.leaf.calls["SearchBooks"]) == ([1, 40, 60], 1)


async def test_answer_tells_what_it_was_taken_for() -> None:
    """The answer says how the query was understood, from the cache as from the provider."""
    async with open_house() as it:
        expected = pb.QueryInterpretation(
            kind=pb.QUERY_KIND_AUTHOR, normalized_text="frank herbert", author="Frank Herbert", language="en"
        )
        assert [expected] * 2 == [(await it.search("Frank Herbert")).interpretation for _ in range(2)]


async def test_answer_tells_what_providers_did() -> None:
    """The answer names each provider, what it gave and what it cost."""
    async with open_house() as it:
        outcome = (await it.search("dune")).providers[0]
        assert (outcome.provider, outcome.state, outcome.edition_count, outcome.call_count) == (
            "isbndb",
            pb.PROVIDER_STATE_ANSWERED,
            2,
            2,
        )


async def test_text_is_sought_as_title_and_as_name() -> None:
    """A text costs two calls, whatever it turns out to be."""
    async with open_house() as it:
        await it.search("Frank Herbert")
        assert it.leaf.calls == {"SearchBooks": 1, "AuthorBibliography": 1}


async def test_mixture_of_title_and_name() -> None:
    """A title with an author's name beside it finds the book, though no single field holds it."""
    async with open_house() as it:
        found = await it.search("dune herbert")
        assert (titles(found), found.interpretation.kind) == (["Dune", "Dune Messiah"], pb.QUERY_KIND_TITLE_AND_AUTHOR)


async def test_title_by_author() -> None:
    """A title "by" an author costs two calls and finds that book first."""
    async with open_house() as it:
        found = await it.search("Dune by Frank Herbert")
        assert (titles(found)[0], it.leaf.calls) == ("Dune", {"SearchBooks": 2})


@pytest.mark.parametrize(("translations", "expected"), [(False, ["Dune"]), (True, ["Dune", "Der Wüstenplanet Dune"])])
async def test_translations(translations: bool, expected: list[str]) -> None:  # noqa: FBT001 - a parameter of the test
    """Works in other languages are in the answer when they are asked for, and have a key of their own."""
    works = [
        work("Dune", "Frank Herbert", isbns=[DUNE]),
        work("Der Wüstenplanet Dune", "Frank Herbert", isbns=["1"], language="de"),
    ]
    async with open_house(FakeLeaf(works)) as it:
        await it.search("dune", include_translations=not translations)
        assert expected == titles(await it.search("dune", include_translations=translations))


async def test_isbn_of_another_language_is_that_book() -> None:
    """Who asks for an ISBN gets the book, whatever its language."""
    async with open_house(FakeLeaf([work("Der Marsianer", "Andy Weir", isbns=[DUNE], language="de")])) as it:
        assert titles(await it.search(DUNE)) == ["Der Marsianer"]


async def test_book_without_language_is_found() -> None:
    """A record that names no language is not dropped for it."""
    async with open_house(FakeLeaf([work("Solaris", "Stanisław Lem", isbns=[DUNE], language="")])) as it:
        assert [titles(await it.search(q)) for q in ("Solaris", "Stanisław Lem")] == [["Solaris"], ["Solaris"]]


async def test_foreign_title_hides_no_name() -> None:
    """A title in another language does not keep a name from being looked for everywhere."""
    works = [
        work("Lem", "Jan Kowalski", isbns=["1"], language="pl"),
        work("Solaris", "Stanisław Lem", isbns=["2"], language=""),
    ]
    async with open_house(FakeLeaf(works)) as it:
        assert titles(await it.search("Lem")) == ["Solaris"]


async def test_newest_first() -> None:
    """Results can be ordered by the year of first publication, latest first."""
    async with open_house() as it:
        assert titles(await it.search("dune", order_by=pb.ORDER_BY_NEWEST)) == ["Dune Messiah", "Dune"]


@pytest.mark.parametrize("q", [UNKNOWN, "no such book"])
async def test_nothing_found_is_an_answer(q: str) -> None:
    """Nothing found is OK without results, and a hit the next time."""
    async with open_house() as it:
        await it.search(q)
        before = it.leaf.calls.total()
        found = await it.search(q)
        assert (titles(found), found.provenance.tier, found.partial, it.leaf.calls.total()) == (
            [],
            TIER_MEMORY,
            False,
            before,
        )


async def test_nothing_found_is_believed_for_a_shorter_time() -> None:
    """Nothing found is fresh for ten minutes, a book for the cold tier's time."""
    async with open_house() as it:
        found = [await it.search(q) for q in (UNKNOWN, DUNE)]
        fresh_s = [
            answer.provenance.fresh_until_time.seconds - answer.provenance.cache_time.seconds for answer in found
        ]
        assert fresh_s == [600, 604_800]


async def test_age_and_freshness_are_told() -> None:
    """An answer says when it was made, how old it is and until when it is fresh."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(90)
        provenance = (await it.search(DUNE)).provenance
        assert (provenance.age_ms, provenance.cache_time.seconds, provenance.key) == (
            90_000,
            1_000_000,
            f"v2:isbn:{DUNE}",
        )


async def test_trailing_metadata_tells_tier_and_age() -> None:
    """Tier, age and state stand in the trailing metadata, too."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(2)
        call = it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE))
        await call
        trailing = dict(await call.trailing_metadata())
        assert trailing["x-cache"] == "MEMORY; age_ms=2000; fresh"


async def test_search_goes_on_without_stores() -> None:
    """With both stores down a search is answered by the providers, and then from memory."""
    async with open_house() as it:
        it.hot.down = it.cold.down = True
        found = [await it.search(DUNE) for _ in range(2)]
        assert [(titles(each), each.provenance.tier) for each in found] == [
            (["Dune"], TIER_ORIGIN),
            (["Dune"], TIER_MEMORY),
        ]


@pytest.mark.parametrize("q", [DUNE, "dune", "dune by herbert"])
async def test_outage_is_never_nothing_found(q: str) -> None:
    """When the provider fails, so does the search."""
    async with open_house(FakeLeaf(failures={"*": DOWN})) as it:
        with pytest.raises(UnavailableError) as caught:
            await it.search(q)
        assert (caught.value.reason, caught.value.metadata["providers"]) == ("ALL_PROVIDERS_FAILED", "isbndb")


@pytest.mark.parametrize("method", ["SearchBooks", "AuthorBibliography"])
async def test_half_an_outage_with_nothing_found(method: str) -> None:
    """When one of two questions failed and the other found nothing, nobody can say that there is nothing."""
    async with open_house(FakeLeaf(failures={method: DOWN})) as it:
        with pytest.raises(UnavailableError):
            await it.search("no such book")


async def test_half_an_outage_is_a_partial_answer() -> None:
    """When one of two questions failed and the other found something, that is the answer, and it says so."""
    async with open_house(FakeLeaf(failures={"AuthorBibliography": DOWN})) as it:
        found = await it.search("dune")
        assert (titles(found), found.partial, found.providers[0].reason) == (
            ["Dune", "Dune Messiah"],
            True,
            "PROVIDER_UNAVAILABLE",
        )


async def test_partial_answer_is_soon_asked_again() -> None:
    """A partial answer is a hit for a minute at most."""
    async with open_house(FakeLeaf(failures={"AuthorBibliography": DOWN})) as it:
        await it.search("dune")
        it.leaf.failures.clear()
        it.clock.advance(60)
        found = await it.search("dune")
        assert (found.provenance.tier, found.partial) == (TIER_ORIGIN, False)


async def test_failure_is_not_cached() -> None:
    """A search that failed asks again."""
    async with open_house(FakeLeaf(failures={"*": DOWN})) as it:
        with pytest.raises(UnavailableError):
            await it.search(DUNE)
        it.leaf.failures.clear()
        assert titles(await it.search(DUNE)) == ["Dune"]


async def test_spent_quota_is_told_as_such() -> None:
    """A spent quota comes through with the time of its end."""
    async with open_house(FakeLeaf(failures={"*": SPENT})) as it:
        with pytest.raises(ResourceExhaustedError) as caught:
            await it.search(DUNE)
        assert (caught.value.reason, caught.value.retry_after_s) == ("QUOTA_SPENT", 60)


async def test_broken_leaf_is_an_outage() -> None:
    """What nobody foresaw in the leaf fails the search as any outage does."""
    async with open_house(FakeLeaf(failures={"*": RuntimeError("broken")})) as it:
        with pytest.raises(UnavailableError) as caught:
            await it.search(DUNE)
        assert caught.value.metadata["reasons"] == "INTERNAL"


async def test_old_answer_is_better_than_none() -> None:
    """While every provider fails, an answer past its time is given, and says that it is stale."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(700_000)
        it.leaf.failures["*"] = DOWN
        found = await it.search(DUNE)
        assert (titles(found), found.provenance.tier, found.provenance.stale) == (["Dune"], TIER_COLD, True)


async def test_old_answer_is_better_than_no_answer_in_time() -> None:
    """Who has less time than the provider takes gets an answer past its time, before the time is over."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(700_000)
        it.leaf.gate.clear()
        found = await it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE), timeout=0.2)
        assert (titles(found), found.provenance.stale) == (["Dune"], True)


async def test_slow_leaf_opens_the_breaker_of_impatient_callers() -> None:
    """A leaf that takes longer than its callers have time is too slow for them, whatever its binding would wait."""
    async with open_house(breaker=BreakerSettings()) as it:
        it.leaf.gate.clear()
        for isbn in ("9780441013593", "9780261102217", "9780547928227"):
            with pytest.raises((DeadlineExceededError, UnavailableError), match="DEADLINE_EXCEEDED"):
                await it.stub.SearchAuto(pb.SearchAutoRequest(q=isbn), timeout=0.1)
        with pytest.raises(UnavailableError) as refused:
            await it.stub.SearchAuto(pb.SearchAutoRequest(q="9780618260300"), timeout=0.1)
        assert (refused.value.metadata["reasons"], it.leaf.calls["GetBook"]) == ("CIRCUIT_OPEN", 3)


async def test_callers_that_go_away_say_nothing_of_the_leaf() -> None:
    """However many callers go away with time left, the leaf is asked by the next one."""
    async with open_house(breaker=BreakerSettings()) as it:
        it.leaf.gate.clear()
        for isbn in ("9780441013593", "9780261102217", "9780547928227"):
            it.leaf.asked.clear()
            search = asyncio.ensure_future(it.stub.SearchAuto(pb.SearchAutoRequest(q=isbn), timeout=30))
            await it.leaf.asked.wait()
            search.cancel()
            await asyncio.gather(search, return_exceptions=True)
        it.leaf.gate.set()
        assert (await it.search("9780618260300")).provenance.tier == TIER_ORIGIN


async def test_answer_can_be_too_old_for_anything() -> None:
    """Thirty days past its time an answer is no answer any more."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(604_800 + 30 * 24 * 3600)
        it.leaf.failures["*"] = DOWN
        with pytest.raises(UnavailableError):
            await it.search(DUNE)


async def test_answer_too_old_is_asked_for_anew() -> None:
    """A cold answer that may not be given while it is refreshed is not given while a provider answers."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(604_800 + 86_400)
        assert (await it.search(DUNE)).provenance.tier == TIER_ORIGIN


async def test_cold_hit() -> None:
    """After its hour in the hot tier an answer comes from the cold one, then from memory, and then from the hot one."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(3_600)
        tiers = []
        for later_s in (0, 0, 300):
            it.clock.advance(later_s)
            tiers.append((await it.search(DUNE)).provenance.tier)
        assert (tiers, it.leaf.calls.total()) == ([TIER_COLD, TIER_MEMORY, TIER_HOT], 1)


async def test_no_cache_asks_and_keeps() -> None:
    """no_cache asks the provider whatever the cache holds, and what it says is a hit for others at once."""
    async with open_house() as it:
        await it.search(DUNE)
        it.leaf.works = [work("Dune, revised", "Frank Herbert", isbns=[DUNE])]
        request = pb.SearchAutoRequest(q=DUNE, cache_control=pb.CacheControl(no_cache=True))
        fresh = await it.stub.SearchAuto(request)
        later = await it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE))
        assert [(titles(each), each.provenance.tier) for each in (fresh, later)] == [
            (["Dune, revised"], TIER_ORIGIN),
            (["Dune, revised"], TIER_MEMORY),
        ]


async def test_no_cache_is_given_nothing_old() -> None:
    """no_cache fails when the provider does, for it asked for news."""
    async with open_house() as it:
        await it.search(DUNE)
        it.leaf.failures["*"] = DOWN
        with pytest.raises(UnavailableError):
            await it.search(DUNE, cache_control=pb.CacheControl(no_cache=True))


async def test_only_if_cached_asks_nobody() -> None:
    """only_if_cached is NOT_CACHED with the key when no tier has an answer, and costs no call."""
    async with open_house() as it:
        with pytest.raises(NotFoundError) as caught:
            await it.search(DUNE, cache_control=pb.CacheControl(only_if_cached=True))
        assert (caught.value.reason, caught.value.metadata, it.leaf.calls.total()) == (
            "NOT_CACHED",
            {"key": f"v2:isbn:{DUNE}"},
            0,
        )


async def test_only_if_cached_is_a_hit() -> None:
    """only_if_cached gives what is cached."""
    async with open_house() as it:
        await it.search(DUNE)
        found = await it.search(DUNE, cache_control=pb.CacheControl(only_if_cached=True))
        assert titles(found) == ["Dune"]


@pytest.mark.parametrize(("max_stale", "tier", "stale"), [(200, TIER_COLD, True), (50, TIER_ORIGIN, False)])
async def test_max_stale(max_stale: int, tier: int, *, stale: bool) -> None:
    """An answer that is past its time by less than max_stale is served, and says so."""
    async with open_house() as it:
        await it.search(DUNE)
        it.clock.advance(604_800 + 100)
        control = pb.CacheControl(max_stale=Duration(seconds=max_stale))
        provenance = (await it.search(DUNE, cache_control=control)).provenance
        assert (provenance.tier, provenance.stale) == (tier, stale)


@pytest.mark.parametrize(
    ("metadata", "control", "expected"),
    [
        ((("x-bookmesh-class", "batch"),), pb.CacheControl(), True),
        ((("x-bookmesh-class", "live"),), pb.CacheControl(), False),
        ((), pb.CacheControl(no_cache=True), True),
        ((), pb.CacheControl(), False),
    ],
)
async def test_who_waits_for_the_cache(
    metadata: tuple[tuple[str, str], ...],
    control: pb.CacheControl,
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A caller that says "batch", or no_cache, has its answer in the cache when it gets it; others do not wait."""
    async with open_house() as it:
        gate, put = asyncio.Event(), it.cold.put
        it.cold.put = lambda *args, **more: _after(gate, put(*args, **more))  # type: ignore[method-assign]  # a slow store
        call = it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE, cache_control=control), metadata=metadata)
        waiting = asyncio.ensure_future(call)
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            done, _ = await asyncio.wait({waiting}, timeout=0.05)
            gate.set()
            await waiting
        assert expected is not bool(done)


async def _after(gate: asyncio.Event, work: Awaitable[bool]) -> bool:
    """Does some work when a gate opens."""
    await gate.wait()
    return await work


@pytest.mark.parametrize(("metadata", "least_s", "most_s"), [((), 5, 10), ((("x-bookmesh-class", "batch"),), 25, 30)])
async def test_batches_wait_for_their_turn(
    metadata: tuple[tuple[str, str], ...], least_s: float, most_s: float
) -> None:
    """A call to the provider for a batch has longer than one that somebody waits for, since plans make queues."""
    async with open_house() as it:
        await it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE), metadata=metadata)
        assert least_s < (it.leaf.left_s[0] or 0) <= most_s


async def test_many_callers_cost_one_call() -> None:
    """A hundred callers of one cold key ask the provider once."""
    async with open_house() as it:
        found = await asyncio.gather(*(it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE)) for _ in range(100)))
        assert ([titles(each) for each in found], it.leaf.calls.total()) == ([["Dune"]] * 100, 1)


async def test_callers_share_no_answer_object() -> None:
    """Callers of one flight each get the number of results that they asked for."""
    async with open_house() as it:
        requests = [pb.SearchAutoRequest(q="dune", max_results=wanted) for wanted in (1, 2, 1)]
        found = await asyncio.gather(*(it.stub.SearchAuto(request) for request in requests))
        assert [len(each.results) for each in found] == [1, 2, 1]


async def test_caller_that_leaves_takes_its_call_along() -> None:
    """When the only caller goes away, the provider is not asked any longer."""
    async with open_house() as it:
        it.leaf.gate.clear()
        call = asyncio.ensure_future(it.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE)))
        async with asyncio.timeout(5):
            await it.leaf.asked.wait()
            call.cancel()
            await it.leaf.abandoned.wait()
        assert call.cancelled()


@pytest.mark.parametrize(
    ("next_page", "include_translations", "expected"), [(0, False, ["*"]), (2, False, ["*", "fr"]), (2, True, ["*"])]
)
async def test_author_is_asked_for_in_every_language(
    next_page: int,
    include_translations: bool,  # noqa: FBT001 -- a parameter of the test
    expected: list[str],
) -> None:
    """Books that name no language are found, too; where not all fit on the page, the language's own are asked for."""
    leaf = FakeLeaf(next_page=next_page)
    async with open_house(leaf) as it:
        await it.search("Frank Herbert", language="fr", include_translations=include_translations)
        asked = [each for each in leaf.requests if isinstance(each, leaf_pb.AuthorBibliographyRequest)]
        assert [each.language for each in asked] == expected


async def test_mistyped_title_is_found() -> None:
    """A title with an error of typing is found by the words that are right, and by those that were meant."""
    async with open_house() as it:
        found = [(await it.search(text)).results[0].title for text in ("Dune Mesiah", "Emmma")]
        assert found == ["Dune Messiah", "Emma"]


@pytest.mark.parametrize(("text", "expected"), [("dune", 2), ("Frank Herbert", 2), ("dune herbert", 3), ("Dnue", 3)])
async def test_further_questions_are_asked_only_in_need(text: str, expected: int) -> None:
    """A text that is a title or a name costs two calls, one that is both in one or mistyped three."""
    async with open_house() as it:
        await it.search(text)
        assert it.leaf.calls.total() == expected


async def test_catalogue_is_found_by_every_isbn() -> None:
    """Each book of the provider's is found by its ISBN."""
    async with open_house() as it:
        found = [titles(await it.search(edition.isbn_13)) for each in CATALOGUE for edition in each.editions]
        assert found == [["Dune"], ["Dune Messiah"], ["Emma"]]
