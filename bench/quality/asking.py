"""Asks what is to be asked, several searches at a time, and notes what came of each."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from bench.quality.probes import Probe
from mesh.status import MeshError

_AT_ONCE = 8

_SHOWN = 3
"""Results that are told of a miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one search."""

    probe: Probe
    """The search."""
    place: int
    """Where what was sought stood, from 0; -1 where it did not."""
    failure: str = ""
    """Why there was no answer."""
    calls: int = 0
    """Calls to providers that it cost."""
    key: str = ""
    """The cache key of the answer."""
    results: Sequence[str] = ()
    """The first results, as they are told of a miss."""


async def outcomes(books: BooksServiceStub, probes: Iterable[Probe]) -> list[Outcome]:
    """What came of each search, in their order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(probe: Probe) -> Outcome:
        async with gate:
            return await _asked(books, probe)

    return await asyncio.gather(*(ask(probe) for probe in probes))


async def _asked(books: BooksServiceStub, probe: Probe) -> Outcome:
    request = SearchAutoRequest(q=probe.text, language=probe.language, max_results=probe.max_results)
    try:
        answer = await books.SearchAuto(request)
    except MeshError as error:
        return Outcome(probe=probe, place=-1, failure=f"{error.reason}: {error}")
    if len(answer.results) > probe.max_results:
        return Outcome(probe=probe, place=-1, failure=f"{len(answer.results)} results, not {probe.max_results}")
    if answer.partial:
        return Outcome(probe=probe, place=-1, failure="a provider did not answer")
    told = [f"{work.title} / {'; '.join(author.name for author in work.authors)}" for work in answer.results[:_SHOWN]]
    return Outcome(
        probe=probe,
        place=probe.judge(answer),
        calls=sum(provider.call_count for provider in answer.providers),
        key=answer.provenance.key,
        results=told,
    )
