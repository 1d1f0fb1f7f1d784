"""What `bookmesh up` does: the shared parts first, then the services, in this process or each in its own."""

import os
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from mesh.deployment import Deployment
from mesh.embedded import embedded_valkey
from mesh.processes import supervise
from mesh.serve import serve
from mesh.stand_ins import standing_in


@asynccontextmanager
async def shared_parts(deployment: Deployment) -> AsyncIterator[Deployment]:
    """Runs the embedded key-value server and the stand-ins, where they are needed, until the block ends.

    Raises:
        ConfigurationError: a stand-in did not start.
        EmbeddedError: the embedded server did not start.
    """
    async with AsyncExitStack() as running:
        if not deployment.supervised:
            if deployment.needs_embedded_kv():
                url = await running.enter_async_context(embedded_valkey(deployment.data / "valkey"))
                deployment = replace(deployment, embedded_kv=url)
            await running.enter_async_context(standing_in(deployment.stand_ins))
        yield deployment


async def up(deployment: Deployment, *, separate: bool, only: Collection[str] | None = None) -> None:
    """Runs a deployment until SIGTERM or SIGINT."""
    async with shared_parts(deployment) as ready:
        if separate:
            await supervise(ready, os.environ)
        else:
            await serve(ready, only)
