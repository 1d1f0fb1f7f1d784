"""A search that lies in the memory of books-api-proxy: the real entrypoint over its real cache, on stores in memory."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub

from bench.answer import Question, as_message
from mesh.breakers import Breakers
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.permissions import EVERYBODY
from mesh.hosting.dispatch import handlers_of
from mesh.introspection import Introspection
from mesh.layers import server_layers
from mesh.runtime import Runtime
from mesh.stats import Stats
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import in_process
from mesh.transport.aio_server import AioServer
from services.books.checks import checked_query
from services.books.entry import Entry, packed, rest_of
from services.books.entrypoints import Default, lifespan
from services.books.env import Env
from services.books.query import cache_key

NAME = "cached"

ENTRYPOINT = EntrypointSettings(max_concurrent=256, rate_per_s=1_000_000, burst=1_000_000)
"""As the manifest has it, but that one caller may ask as often as a measurement does."""

_DAY_S = 86_400.0


class NoLeaf(IsbndbServiceServicer):
    """A leaf that nobody calls: what is measured lies in memory."""


@asynccontextmanager
async def default() -> AsyncIterator[Default]:
    """The default entrypoint, with the answers of the benchmark in its cache."""
    env = Env(
        ISBNDB_WORKER=in_process(IsbndbServiceStub, NoLeaf()),  # type: ignore[abstract]  # nobody calls it
        CACHE=MemoryKv(),
        API_CACHE_COLD=MemoryBucket(),
        GOOGLE_BOOKS_API_KEY=None,
        GOOGLE_BOOKS_IOSKEY=None,
        ISBNDB_API_KEY=None,
        ISBN_SEARCH_KEY=None,
        CACHE_HOT_TTL=86_400,
        CACHE_COLD_TTL=604_800,
        CACHE_MEMORY_TTL=86_400,
        MAX_RESULTS_DEFAULT=40,
        RATE_LIMIT_MS=100,
        MESH=Introspection(worker="books-api-proxy", stats=Stats(), breakers=Breakers()),
    )
    async with lifespan(env) as state:
        now = time.time()
        for question in Question:
            message = as_message(question)
            works, ends = packed(message.results)
            message.ClearField("results")
            message.ClearField("provenance")
            key = cache_key(checked_query(question.value))
            entry = Entry(works=works, ends=ends, rest=rest_of(message), cache_time=now, fresh_until=now + _DAY_S)
            state.cache.put(key, entry)
        await state.cache.flush()
        yield Default(env, state)


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves it with every layer on; gives the address that it listens on."""
    async with default() as entrypoint:
        layers = server_layers(Runtime(service="books-api-proxy"), "Default", ENTRYPOINT, door=EVERYBODY)
        listener = AioServer(handlers_of(entrypoint, layers), address)
        await listener.start()
        try:
            yield listener.address
        finally:
            await listener.stop(1)


@asynccontextmanager
async def here() -> AsyncIterator[BooksServiceStub]:
    """The same through a binding in process, with every layer of both sides on."""
    async with default() as entrypoint:
        yield in_process(BooksServiceStub, entrypoint)
