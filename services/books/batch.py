"""Many searches in one call: what is cached is answered at once, ISBNs are looked up together, texts in turn."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL

from mesh.background import Background
from mesh.flights import Flights
from mesh.rules import check
from mesh.status import InternalError, MeshError
from services.books.answers import Answer
from services.books.cache import Held
from services.books.checks import Ask, checked_search
from services.books.entry import framed
from services.books.panel import PATIENT_S, Panel
from services.books.providers.protocol import BulkProvider, Found
from services.books.query import Query
from services.books.search import Asking, Search
from services.books.telling import Told

_LOOKS = 32
"""Searches that are looked for in the cache at a time."""

_TEXTS = 8
"""Texts that the providers are asked for at a time; these answer one after the other anyway."""

_READY = 32
"""Answers that lie ready until the caller takes them."""

_RESPONSE = 3
"""BatchSearchAutoResponse's field of the name; what lies in the cache goes out in it as it lies."""

_log = structlog.get_logger("services.books")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """A search that the cache did not answer."""

    at: int
    """Its place in the batch."""
    ask: Ask
    """The search."""
    held: Held | None
    """What the cache holds of it, too old to be its answer."""


class Batch:
    """Answers many searches, each as SearchAuto does; an answer lies in the cache before it is given.

    Args:
        search: answers one search.
        panel: asks the providers.
        background: where that happens.
        default_results: works in an answer to a search that does not say how many.
    """

    def __init__(self, search: Search, panel: Panel, background: Background, *, default_results: int) -> None:
        self._search = search
        self._panel = panel
        self._default_results = default_results
        self._lookups: Flights[Mapping[str, Found]] = Flights(background)

    async def answers(self, queries: Sequence[pb.SearchAutoRequest]) -> AsyncGenerator[bytes, None]:
        """One BatchSearchAutoResponse for each search, as they complete.

        What is still sought is given up when nobody takes it.
        """
        ready: asyncio.Queue[bytes | None] = asyncio.Queue(_READY)
        work = asyncio.create_task(self._run(queries, ready))
        try:
            while (answer := await ready.get()) is not None:
                yield answer
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _run(self, queries: Sequence[pb.SearchAutoRequest], ready: asyncio.Queue[bytes | None]) -> None:
        missing: list[_Missing] = []

        async def tell(at: int, work: Callable[[], Awaitable[Told | None]]) -> None:
            answer = pb.BatchSearchAutoResponse(query_index=at, q=queries[at].q)
            response = b""
            try:
                told = await work()
                if told is None:
                    return
                response = framed(_RESPONSE, told.data)
            except MeshError as error:
                answer.error.CopyFrom(call_error(error))
            except Exception as unforeseen:  # noqa: BLE001 - one broken search must not take the others with it
                answer.error.CopyFrom(call_error(_broken(unforeseen)))
            await ready.put(answer.SerializeToString() + response)

        async def look(at: int) -> None:
            await tell(at, lambda: self._looked(at, queries[at], missing))

        async def fetch(one: _Missing, asking: Asking | None = None) -> None:
            await tell(one.at, lambda: self._search.fetched(one.ask, one.held, asking))

        try:
            await _each(range(len(queries)), look, limit=_LOOKS)
            numbered = [one for one in missing if one.ask.query.isbn13]
            texts = [one for one in missing if not one.ask.query.isbn13]
            bulk = self._bulk(numbered)
            async with asyncio.TaskGroup() as group:
                for one in numbered:
                    group.create_task(fetch(one, bulk))
                group.create_task(_each(texts, fetch, limit=_TEXTS))
        except Exception:
            await ready.put(None)
            raise
        await ready.put(None)

    async def _looked(self, at: int, request: pb.SearchAutoRequest, missing: list[_Missing]) -> Told | None:
        """The cache's answer to a search; without one, the search is noted as missing."""
        check(request)
        ask = checked_search(request, default_results=self._default_results)
        told, held = await self._search.looked(ask)
        if told is None:
            missing.append(_Missing(at=at, ask=ask, held=held))
        return told

    def _bulk(self, numbered: Iterable[_Missing]) -> Asking:
        """Asks for one ISBN by asking for all of them, once."""
        asks = [one.ask for one in numbered if not one.ask.wishes.only_if_cached]
        isbns = tuple(dict.fromkeys(ask.query.isbn13 for ask in asks if not self._search.is_under_way(ask.key)))

        async def asking(query: Query, _: float | None) -> Sequence[Answer]:
            # An answer that was under way elsewhere may have failed to come, so its ISBN may not be among the others.
            asked = isbns if query.isbn13 in isbns else (query.isbn13,)

            async def lookup(provider: BulkProvider) -> Found:
                key = (provider.name, *asked)
                found = await self._lookups.join(key, lambda: provider.find_isbns(asked, limit_s=PATIENT_S))
                return found[query.isbn13]

            return await self._panel.ask(query, patient=True, lookup=lookup)

        return asking


async def _each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, limit: int) -> None:
    """Does the work for each item, for at most so many at a time."""
    places = asyncio.Semaphore(limit)

    async def one(item: Item) -> None:
        async with places:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


def call_error(error: MeshError) -> CallError:
    """A failure as it stands in the answer to one of many; the time to wait goes with the metadata."""
    metadata = dict(error.metadata)
    if error.retry_after_s is not None:
        metadata["retry_after_ms"] = str(round(error.retry_after_s * 1000))
    return CallError(code=error.code.name, reason=error.reason, message=error.message, metadata=metadata)


def _broken(unforeseen: Exception) -> MeshError:
    """What one search of many fails with when something broke; the stack goes to the log, under an id."""
    error_id = uuid.uuid4().hex
    _log.error("search_broke", error_id=error_id, exc_info=unforeseen)
    return InternalError(
        ERROR_REASON_INTERNAL,
        f"something broke in this search; the log has it under {error_id}",
        metadata={"error_id": error_id},
    )
