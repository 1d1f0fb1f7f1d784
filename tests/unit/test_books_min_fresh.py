"""min_fresh: what stays fresh for as long as a caller says is a hit, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN, Tier
from google.protobuf.duration_pb2 import Duration

from mesh.status import NotFoundError, UnavailableError
from services.books.wishes import NO_WISHES, Wishes
from tests.unit.books_house import DUNE, House, open_house
from tests.unit.books_processes import KEY, WINDOWS, Process, Providers, made_of, processes, settle, titles

AGE_S = 400.0
LEFT_S = WINDOWS.fresh_s - AGE_S
"""Seconds that the answer stays fresh yet."""


@asynccontextmanager
async def aged() -> AsyncIterator[tuple[Process, Process, Providers]]:
    """A process whose answer stays fresh for LEFT_S, another on the same stores, and providers with a newer one."""
    async with processes() as (it, other):
        await it.answering.answer(KEY, NO_WISHES, Providers(made_of("Dune")), patient=True)
        it.clock.advance(AGE_S)
        yield it, other, Providers(made_of("Dune, revised"))


def wish(min_fresh_s: float, **more: bool) -> Wishes:
    """What asks for an answer that stays fresh so long."""
    return Wishes(min_fresh_s=min_fresh_s, **more)


async def forget(it: Process, tier: Tier.ValueType) -> None:
    """Leaves what is kept in one tier alone, and in what is behind it."""
    await it.cache.flush()
    if tier != TIER_MEMORY:
        it.cache.memory.clear()
    if tier == TIER_COLD:
        await it.cache.shelves[0].remove(KEY, limit_s=1.0)


@pytest.mark.parametrize("tier", [TIER_MEMORY, TIER_HOT, TIER_COLD])
async def test_what_stays_fresh_is_given(tier: Tier.ValueType) -> None:
    """An answer that stays fresh for longer than is asked is given, whichever tier it lies in."""
    async with aged() as (it, _, providers):
        await forget(it, tier)
        held = await it.answering.answer(KEY, wish(LEFT_S - 1, only_if_cached=True), providers)
        assert (titles(held.entry), held.tier, providers.calls) == (["Dune"], tier, 0)


@pytest.mark.parametrize("tier", [TIER_MEMORY, TIER_HOT, TIER_COLD])
async def test_what_does_not_is_made_anew(tier: Tier.ValueType) -> None:
    """An answer that does not is asked for anew, once, and everybody is given the new one from then on."""
    async with aged() as (it, other, providers):
        await forget(it, tier)
        held = await it.answering.answer(KEY, wish(LEFT_S), providers, patient=True)
        assert (titles(held.entry), held.tier, providers.calls) == (["Dune, revised"], TIER_ORIGIN, 1)
        later = await other.answering.answer(KEY, wish(LEFT_S), providers)
        assert (titles(later.entry), later.tier, providers.calls) == (["Dune, revised"], TIER_HOT, 1)
        assert it.told == [(KEY, it.clock())]


@pytest.mark.parametrize("tier", [TIER_MEMORY, TIER_HOT, TIER_COLD])
async def test_only_if_cached_is_told_that_there_is_none(tier: Tier.ValueType) -> None:
    """With only_if_cached an answer that does not stay fresh is none, and nobody is asked, neither now nor later."""
    async with aged() as (it, _, providers):
        await forget(it, tier)
        with pytest.raises(NotFoundError) as caught:
            await it.answering.answer(KEY, wish(LEFT_S, only_if_cached=True), providers)
        await settle()
        assert (caught.value.reason, providers.calls) == ("NOT_CACHED", 0)


async def test_fresher_copy_behind_is_found() -> None:
    """Where memory's copy is not fresh for long enough, the hot tier may have another process's that is."""
    async with aged() as (it, other, providers):
        await other.answering.answer(KEY, Wishes(no_cache=True), providers, patient=True)
        held = await it.answering.answer(KEY, wish(LEFT_S, only_if_cached=True), providers)
        assert (titles(held.entry), held.tier, providers.calls) == (["Dune, revised"], TIER_HOT, 1)


async def test_crowd_asks_once() -> None:
    """Of many who want it fresh for longer one asks, in whichever process."""
    async with aged() as (it, other, providers):
        found = await asyncio.gather(
            *(each.answering.answer(KEY, wish(LEFT_S), providers, patient=True) for each in (it, other) * 20)
        )
        assert ({tuple(titles(held.entry)) for held in found}, providers.calls) == ({("Dune, revised",)}, 1)


@pytest.mark.parametrize("max_stale_s", [None, 1_000.0])
async def test_failure_is_not_hidden_by_what_does_not_stay_fresh(max_stale_s: float | None) -> None:
    """Where the providers fail the caller hears so, whatever max_stale says, and others are given what there is."""
    async with aged() as (it, _, providers):
        providers.failure = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
        with pytest.raises(UnavailableError):
            await it.answering.answer(KEY, Wishes(min_fresh_s=LEFT_S, max_stale_s=max_stale_s), providers, patient=True)
        assert titles((await it.answering.answer(KEY, NO_WISHES, providers)).entry) == ["Dune"]


def control(seconds: int, *, only_if_cached: bool = False) -> pb.CacheControl:
    """What asks for an answer that stays fresh so long."""
    return pb.CacheControl(min_fresh=Duration(seconds=seconds), only_if_cached=only_if_cached)


DAYS = 86_400


async def titles_of(it: House, method: str, wanted: pb.CacheControl | None = None) -> list[str]:
    """What a method gives to a search for Dune, or for its author's works; its reason where that is nothing."""
    try:
        if method == "SearchAuto":
            return [work.title for work in (await it.search(DUNE, cache_control=wanted)).results]
        if method == "AuthorBibliography":
            return [work.title for work in (await it.author("Frank Herbert", cache_control=wanted)).works]
        (answer,) = await it.batch(pb.SearchAutoRequest(q=DUNE, cache_control=wanted))
        return [answer.error.reason] if answer.error.reason else [work.title for work in answer.response.results]
    except NotFoundError as error:
        return [error.reason]


@pytest.mark.parametrize("method", ["SearchAuto", "BatchSearchAuto", "AuthorBibliography"])
async def test_every_method_heeds_it(method: str) -> None:
    """A week's answer of three days is a hit for who wants three more, none for who wants five, and is then renewed."""
    async with open_house() as it:
        first = await titles_of(it, method)
        asked = it.leaf.calls.total()
        it.clock.advance(3 * DAYS)
        assert await titles_of(it, method, control(3 * DAYS, only_if_cached=True)) == first
        assert await titles_of(it, method, control(5 * DAYS, only_if_cached=True)) == ["NOT_CACHED"]
        assert it.leaf.calls.total() == asked
        assert await titles_of(it, method, control(5 * DAYS)) == first
        assert it.leaf.calls.total() == 2 * asked
        assert await titles_of(it, method, control(5 * DAYS, only_if_cached=True)) == first
