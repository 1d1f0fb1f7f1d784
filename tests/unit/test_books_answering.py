"""The walk of a key: what is given, what is refreshed meanwhile, and what is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_DEADLINE_EXCEEDED,
    ERROR_REASON_INTERNAL,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    ERROR_REASON_QUOTA_SPENT,
)
from bookmesh.type.v1.book_pb2 import TIER_MEMORY

from mesh.status import DeadlineExceededError, InternalError, MeshError, NotFoundError, ResourceExhaustedError
from mesh.status import UnavailableError as Unavailable
from services.books.bans import ban_of
from services.books.making import Made
from services.books.wishes import NO_WISHES, Wishes
from tests.unit.books_processes import KEY, WINDOWS, Process, Providers, made_of, processes, settle, titles

DOWN = Unavailable(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
STALE_S = WINDOWS.fresh_s + 1
"""Seconds after which an answer is given while it is refreshed."""
OLD_S = WINDOWS.fresh_s + WINDOWS.revalidate_s
"""Seconds after which an answer is a last resort."""


@asynccontextmanager
async def aged(age_s: float) -> AsyncIterator[tuple[Process, Providers]]:
    """A process that has an answer of this age, and providers that have a newer one."""
    async with processes() as (it, _):
        await it.answering.answer(KEY, NO_WISHES, Providers(made_of("Dune")), patient=True)
        it.clock.advance(age_s)
        yield it, Providers(made_of("Dune, revised"))


async def asked(it: Process, providers: Providers, wishes: Wishes = NO_WISHES, *, patient: bool = False) -> list[str]:
    """The titles of an answer."""
    return titles((await it.answering.answer(KEY, wishes, providers, patient=patient)).entry)


async def slow_answer(it: Process) -> None:
    """Keeps an answer for which the providers took two seconds, and which half of all chances refresh at the last."""
    held = await it.answering.answer(KEY, NO_WISHES, Providers(made_of("Dune")), patient=True)
    it.cache.put(KEY, replace(held.entry, fetch_s=2.0))


async def test_many_are_given_the_old_answer_and_it_is_refreshed_once() -> None:
    """While an answer past its time is refreshed all who ask are given it, and the providers are asked once."""
    async with aged(STALE_S) as (it, providers):
        providers.gate.clear()
        together = await asyncio.gather(*(asked(it, providers) for _ in range(50)))
        await settle()
        later = [await asked(it, providers) for _ in range(50)]
        assert (together + later, providers.calls) == ([["Dune"]] * 100, 1)
        assert it.answering.counts.stale == 100
        providers.gate.set()
        await settle()
        assert (await asked(it, providers), providers.calls, it.answering.counts.refreshed) == (["Dune, revised"], 1, 1)
        assert it.told == [(KEY, it.clock())]


async def test_due_answer_is_fresh_and_refreshed_by_whom_chance_takes() -> None:
    """Before its time is over an answer is refreshed by whoever chance has do so, and nothing stale is counted."""
    async with processes() as (it, _):
        await slow_answer(it)
        it.clock.advance(WINDOWS.fresh_s - 1.0)
        providers = Providers(made_of("Dune, revised"))
        found = []
        for it.dice.says in (0.0, 0.5, 0.0):
            found.append(await asked(it, providers))
            await settle()
        assert (found, providers.calls) == ([["Dune"], ["Dune"], ["Dune, revised"]], 1)
        assert (it.answering.counts.stale, it.answering.counts.refreshed) == (0, 1)


@pytest.mark.parametrize(
    ("wishes", "patient"),
    [
        (NO_WISHES, True),
        (Wishes(max_stale_s=0.5), False),
        (Wishes(max_stale_s=0.0), False),
        (Wishes(no_cache=True), False),
    ],
    ids=["batch", "max_stale", "no max_stale", "no_cache"],
)
async def test_who_wants_no_old_answer_gets_none(wishes: Wishes, *, patient: bool) -> None:
    """A batch, a caller that says how stale an answer may be, and one that asks for news wait for the new answer."""
    async with aged(STALE_S) as (it, providers):
        assert (await asked(it, providers, wishes, patient=patient), providers.calls) == (["Dune, revised"], 1)
        assert it.answering.counts.stale == 0


async def test_only_if_cached_is_given_nothing_old() -> None:
    """only_if_cached is NOT_CACHED where the answer's time is over, and nobody is asked, neither now nor later."""
    async with aged(STALE_S) as (it, providers):
        with pytest.raises(NotFoundError) as caught:
            await asked(it, providers, Wishes(only_if_cached=True))
        await settle()
        assert (caught.value.reason, caught.value.metadata, providers.calls) == ("NOT_CACHED", {"key": KEY}, 0)


async def test_only_if_cached_refreshes_nothing() -> None:
    """only_if_cached with max_stale is given an old answer, and begins no refresh of it."""
    async with aged(STALE_S) as (it, providers):
        found = await asked(it, providers, Wishes(only_if_cached=True, max_stale_s=10.0))
        await settle()
        assert (found, providers.calls, it.answering.counts.stale) == (["Dune"], 0, 1)


@pytest.mark.parametrize("age_s", [STALE_S, OLD_S + 1])
async def test_max_stale_is_given_what_it_allows(age_s: float) -> None:
    """A caller that takes an answer that old is given it, and it is refreshed meanwhile."""
    async with aged(age_s) as (it, providers):
        found = await asked(it, providers, Wishes(max_stale_s=age_s))
        await settle()
        assert (found, providers.calls, it.answering.counts.stale) == (["Dune"], 1, 1)


@pytest.mark.parametrize("failure", [DOWN, RuntimeError("nobody foresaw this")], ids=["down", "unforeseen"])
async def test_refresh_that_failed_rests(failure: Exception) -> None:
    """A refresh that came to nothing is not tried at every hit: the next one begins when its rest is over."""
    async with aged(STALE_S) as (it, providers):
        providers.failure = failure
        calls = []
        for pause_s in (0.0, 0.0, WINDOWS.partial_s - 0.001, 0.001, 0.0):
            it.clock.advance(pause_s)
            assert await asked(it, providers) == ["Dune"]
            await settle()
            calls.append(providers.calls)
        assert (calls, it.answering.counts.refreshed) == ([1, 1, 1, 2, 2], 0)


async def test_partial_refresh_rests() -> None:
    """A refresh that brought only a part leaves the whole answer in its place, and rests as one that failed."""
    async with aged(STALE_S) as (it, providers):
        providers.answer = made_of("Part", partial=True)
        found = []
        for _ in range(3):
            found.append(await asked(it, providers))
            await settle()
        assert (found, providers.calls, it.answering.counts.refreshed) == ([["Dune"]] * 3, 1, 0)


async def test_refreshes_are_bounded_in_number() -> None:
    """However many old answers are asked for at once, sixteen are refreshed at a time, and all are given."""
    async with processes() as (it, _):
        keys, providers = [f"{KEY}:{at}" for at in range(40)], Providers(made_of("Dune"))
        for key in keys:
            await it.answering.answer(key, NO_WISHES, providers, patient=True)
        it.clock.advance(STALE_S)
        slow = Providers(made_of("Dune, revised"))
        slow.gate.clear()
        found = [titles((await it.answering.answer(key, NO_WISHES, slow)).entry) for key in keys]
        await settle()
        assert (found, slow.calls) == ([["Dune"]] * 40, 16)
        slow.gate.set()
        await settle()
        assert it.answering.counts.refreshed == 16


@pytest.mark.parametrize(
    ("answer", "age_s"), [(made_of(), WINDOWS.negative_s), (made_of("Part", partial=True), WINDOWS.partial_s)]
)
async def test_poor_answer_past_its_time_is_asked_for_anew(answer: Made, age_s: float) -> None:
    """What is empty or partial is not given past its time while somebody can say better, and is while nobody can."""
    async with processes() as (it, _):
        expected = await asked(it, Providers(answer), patient=True)
        it.clock.advance(age_s)
        assert await asked(it, Providers(made_of(), failure=DOWN)) == expected
        assert await asked(it, Providers(made_of("Dune"))) == ["Dune"]


@pytest.mark.parametrize(
    "failure",
    [
        DOWN,
        ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, "spent", retry_after_s=60),
        DeadlineExceededError(ERROR_REASON_DEADLINE_EXCEEDED, "late"),
    ],
)
@pytest.mark.parametrize("patient", [True, False])
async def test_last_resort(failure: MeshError, *, patient: bool) -> None:
    """An answer that is too old to be given is given all the same where the providers fail, for whomever it is."""
    async with aged(OLD_S) as (it, providers):
        providers.failure = failure
        held = await it.answering.answer(KEY, NO_WISHES, providers, patient=patient)
        assert (titles(held.entry), held.tier, it.answering.counts.stale) == (["Dune"], TIER_MEMORY, 1)


async def test_mistake_is_not_hidden_by_an_old_answer() -> None:
    """What fails by a mistake of ours is told as such, and not papered over with an old answer."""
    async with aged(OLD_S) as (it, providers):
        providers.failure = InternalError(ERROR_REASON_INTERNAL, "broken")
        with pytest.raises(InternalError):
            await asked(it, providers)


async def test_banned_answer_is_no_last_resort() -> None:
    """An answer that is purged while the providers are asked, and fail, is not given."""
    async with aged(OLD_S) as (it, providers):
        providers.failure = DOWN
        providers.meanwhile = lambda: it.cache.ban(ban_of("key", KEY, it.clock()))
        with pytest.raises(Unavailable):
            await asked(it, providers)


async def test_no_cache_asks_whatever_is_known() -> None:
    """no_cache asks although the answer is fresh, and what it is told is everybody's answer from then on."""
    async with aged(1.0) as (it, providers):
        assert await asked(it, providers) == ["Dune"]
        assert (await asked(it, providers, Wishes(no_cache=True)), providers.calls) == (["Dune, revised"], 1)
        assert (await asked(it, providers), providers.calls) == (["Dune, revised"], 1)
        assert it.told == [(KEY, it.clock())]


async def test_no_cache_is_given_nothing_old() -> None:
    """no_cache fails where the providers do, though a fresh answer is there, and spoils it for nobody."""
    async with aged(1.0) as (it, providers):
        providers.failure = DOWN
        with pytest.raises(Unavailable):
            await asked(it, providers, Wishes(no_cache=True), patient=True)
        assert await asked(it, providers) == ["Dune"]


async def test_at_hand() -> None:
    """Without a walk an answer is given only to a caller without wishes, while it is surely fresh and not banned."""
    async with aged(WINDOWS.fresh_s / 2) as (it, _):
        found = [it.answering.at_hand(KEY, wishes) for wishes in (NO_WISHES, Wishes(only_if_cached=True))]
        assert [held is not None for held in found] == [True, False]
        it.cache.ban(ban_of("key", KEY, it.clock()))
        assert it.answering.at_hand(KEY, NO_WISHES) is None


async def test_what_may_be_due_is_not_at_hand() -> None:
    """When chance may have its refresh begin, or its time is over, an answer is looked at more closely."""
    async with processes() as (it, _):
        await slow_answer(it)
        found = []
        for pause_s in (0.0, WINDOWS.fresh_s - 1.0, 2.0):
            it.clock.advance(pause_s)
            found.append(it.answering.at_hand(KEY, NO_WISHES) is not None)
        assert found == [True, False, False]
