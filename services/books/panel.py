"""placeholder"""

import asyncio
import time
from collections.abc import Sequence

from mesh.status import MeshError
from services.books.answers import Answer
from services.books.providers.protocol import Provider
from services.books.query import Query


class Panel:
    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = providers

    async def ask(self, query: Query, *, patient: bool) -> Sequence[Answer]:
        return await asyncio.gather(*(_asked(p, query, 30.0 if patient else None) for p in self._providers))


async def _asked(provider: Provider, query: Query, limit_s: float | None) -> Answer:
    started = time.perf_counter()
    try:
        found = await provider.find(query, limit_s=limit_s)
    except MeshError as error:
        return Answer(provider=provider.name, error=error, duration_ms=(time.perf_counter() - started) * 1000)
    return Answer(provider=provider.name, found=found, duration_ms=(time.perf_counter() - started) * 1000)
