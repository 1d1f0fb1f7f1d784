"""Proxies on the same stores, each with a memory of its own: what tests of purges among processes share."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bookmesh.books.v1 import admin_service_pb2 as pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock, in_process
from services.books.entrypoints import Admin, Default, lifespan
from tests.unit.books_house import DUNE, EMMA, FakeLeaf, House, env_of, work
from tests.unit.books_processes import settle

REVISED = (work("Dune, revised", "Frank Herbert", isbns=[DUNE]), work("Emma", "Jane Austen", isbns=[EMMA]))
"""What the leaf has once both processes have searched: one book is another, and one as it was."""


@asynccontextmanager
async def started(leaf: FakeLeaf, hot: MemoryKv, cold: MemoryBucket, clock: FakeClock) -> AsyncIterator[House]:
    """One more process on these stores; what failed there is tried again at once."""
    env = env_of(leaf, hot, cold)
    async with lifespan(env, clock=clock, monotonic=clock, chance=lambda: 0.0) as state:
        state.purging._again_s = 0.0
        await settle()
        yield House(
            stub=in_process(BooksServiceStub, Default(env, state)),
            admin=in_process(AdminServiceStub, Admin(env, state)),
            leaf=leaf,
            hot=hot,
            cold=cold,
            clock=clock,
            state=state,
        )


def another(it: House) -> AbstractAsyncContextManager[House]:
    """A process that starts beside one."""
    return started(it.leaf, it.hot, it.cold, it.clock)


@asynccontextmanager
async def two_houses() -> AsyncIterator[tuple[House, House]]:
    """Two processes that have both searched for two books, and a moment that has passed since."""
    clock = FakeClock()
    async with started(FakeLeaf(), MemoryKv(clock), MemoryBucket(clock), clock) as one, another(one) as other:
        for house in (one, other):
            for isbn in (DUNE, EMMA):
                await house.search(isbn)
        clock.advance(1)
        one.leaf.works = REVISED
        yield one, other


async def purge(it: House, **target: str) -> pb.PurgeCacheResponse:
    """A purge, a moment after which every process has heard of it that can."""
    response = await it.admin.PurgeCache(pb.PurgeCacheRequest(**target))
    it.clock.advance(1)
    await settle()
    return response


async def found(it: House, isbn: str = DUNE) -> tuple[str, int]:
    """The title of a book, and the tier that it came from."""
    response = await it.search(isbn)
    return response.results[0].title, response.provenance.tier
