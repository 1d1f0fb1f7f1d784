"""The services under fire: all of them in this process on real listeners, the sandbox as their provider."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from mesh.call import Handler
from mesh.config.permissions import EVERYBODY, Door
from mesh.contract import Method
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.endpoint import Serving
from mesh.hosting.serve import serving
from mesh.hosting.stand_ins import standing_in
from mesh.transport.aio import AioTransport
from mesh.transport.local import LocalTransport
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One method of one entrypoint, and the ways to it."""

    entrypoint: str
    """Whose it is: "books-api-proxy/Default"."""
    method: Method
    """The method."""
    ways: Sequence[Handler]
    """In process and over the wire: each takes a call whose requests are bytes."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.entrypoint} {self.method.service.rpartition('.')[2]}.{self.method.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open(Deployment):
    """A deployment where everybody may call everything, so that what is sent gets as far as it can."""

    def doors(self) -> Mapping[tuple[str, str], Door]:
        """Every door, open."""
        return {(name, entry): EVERYBODY for name, worker in self.workers.items() for entry in worker.entrypoints}


@asynccontextmanager
async def under_fire(folder: Path) -> AsyncIterator[Sequence[Target]]:
    """Every method of every entrypoint of the project's services, health included, in the order of the contract.

    Args:
        folder: where libraries and cold answers go. What is hot stays in memory.
    """
    read = _deployment(folder)
    deployment = _Open(**{each.name: getattr(read, each.name) for each in fields(read)})
    async with AsyncExitStack() as closing:
        await closing.enter_async_context(standing_in(deployment.stand_ins))
        house = await closing.enter_async_context(serving(deployment))
        yield [target for key in house.endpoints for target in _targets(house, key, closing)]


def _targets(house: Serving, key: tuple[str, str], closing: AsyncExitStack) -> Sequence[Target]:
    endpoint = house.endpoints[key]
    local = LocalTransport(endpoint.handlers, caller="fuzz", service=endpoint.service)
    wire = AioTransport(house.listeners[key].address)
    closing.push_async_callback(local.aclose)
    closing.push_async_callback(wire.aclose)
    return [
        Target(entrypoint="/".join(key), method=method, ways=(local.connect(method), wire.connect(method)))
        for method, _ in endpoint.handlers.values()
    ]


def _deployment(folder: Path) -> Deployment:
    (port,) = free_ports(1)
    entries = [
        f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"\n'
        'public = true\ndefault = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n'
        for name, package in (
            ("isbndb-biography-worker", "isbndb"),
            ("books-api-proxy", "books"),
            ("personal-library-cache-warmer", "warmer"),
        )
    ]
    # The provider answers as fast as it can, so that requests are spent on the services and not on waiting their turn.
    entries.append(
        f"""
[kv]
default = "memory:"
[buckets]
default = "directory:{folder}"
[stand_ins.ISBNDB_API_KEY]
module = "sandbox"
address = "127.0.0.1:{port}"
arguments = ["--plan", "enterprise", "--per-second", "0"]
secret = "sandbox"
vars = {{ ISBNDB_URL = "http://127.0.0.1:{port}", ISBNDB_PLAN = "enterprise", RATE_LIMIT_MS = "0", \
ISBNDB_CALLS_PER_SECOND = "10000", MAX_LIBRARY_BYTES = "1000000", \
PROVIDERS = "isbndb", BATCH_PROVIDERS = "isbndb" }}
"""
    )
    book = folder / "mesh.toml"
    book.write_text("\n".join(entries))
    return read_deployment(book, None, {})
