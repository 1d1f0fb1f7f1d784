"""The house that is measured: the sandbox over a catalogue, and all services in this process, on stores in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from clients.connect import Services, connect_to
from mesh.config.problems import ConfigurationError
from mesh.hosting.deployment import read_deployment
from mesh.hosting.serve import serving
from mesh.hosting.up import shared_parts
from mesh.status import MeshError
from mesh.transport.aio_server import AddressInUseError
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

# No provider has a limit here, for thousands of searches are made; how fast they are is measured elsewhere.
_BOOK = """
data = "{data}"

[kv]
default = "memory:"

[buckets]
default = "memory:"

[services.isbndb-biography-worker]
manifest = "{root}/services/isbndb/service.toml"
public = true
default = "127.0.0.1:0"
admin = "127.0.0.1:0"
mesh = "127.0.0.1:0"

[services.books-api-proxy]
manifest = "{root}/services/books/service.toml"
public = true
default = "127.0.0.1:0"
admin = "127.0.0.1:0"
mesh = "127.0.0.1:0"

[services.personal-library-cache-warmer]
manifest = "{root}/services/warmer/service.toml"
public = true
default = "127.0.0.1:0"
admin = "127.0.0.1:0"
mesh = "127.0.0.1:0"

[stand_ins.ISBNDB_API_KEY]
module = "sandbox"
address = "127.0.0.1:{port}"
arguments = [
  "--plan", "enterprise", "--per-second", "0", "--per-day", "0", "--open-library-per-second", "0",
  "--google-keyless-per-day", "none", "--catalog", "{catalogue}",
]
secret = "sandbox"
vars = {{ {variables} }}
"""

_VARIABLES = {
    "ISBNDB_PLAN": "enterprise",
    "ISBNDB_CALLS_PER_SECOND": "100000",
    "ISBNDB_CALLS_PER_DAY": "0",
    "RATE_LIMIT_MS": "0",
    "GOOGLE_BOOKS_CALLS_PER_DAY": "0",
    "OPEN_LIBRARY_CONTACT": "bench@example.org",
    "OPEN_LIBRARY_CALLS_PER_SECOND": "100000",
    "PROVIDER_WAIT_MS": "60000",
    "PROVIDERS": "isbndb,google_books,open_library",
}

_PROVIDERS = ("ISBN", "GOOGLE", "Google", "BOOKMESH", "OPEN_LIBRARY", "LIVE")
"""What the names of settings begin with that would have the real providers asked."""


class HouseError(Exception):
    """The services did not start; the text says why."""


@asynccontextmanager
async def running(folder: Path, catalogue: Path, environ: Mapping[str, str] = os.environ) -> AsyncIterator[Services]:
    """Stubs of the services, which run until the block ends.

    Args:
        folder: where their address book and their data go.
        catalogue: the CSV that the sandbox answers with.
        environ: the process's environment.

    Raises:
        HouseError: they did not start.
    """
    (port,) = free_ports(1)
    absolute = await asyncio.to_thread(catalogue.resolve)
    sandbox = f"http://127.0.0.1:{port}"
    addresses = {"ISBNDB_URL": sandbox, "GOOGLE_BOOKS_URL": f"{sandbox}/books/v1", "OPEN_LIBRARY_URL": sandbox}
    variables = {**_VARIABLES, **addresses}
    book = folder / "mesh.toml"
    text = _BOOK.format(
        data=folder / "data",
        root=ROOT,
        port=port,
        catalogue=absolute,
        variables=", ".join(f'{name} = "{value}"' for name, value in variables.items()),
    )
    await asyncio.to_thread(book.write_text, text)
    kept = {name: value for name, value in environ.items() if not name.startswith(_PROVIDERS)}
    try:
        deployment = read_deployment(book, None, kept)
        async with shared_parts(deployment) as ready, serving(ready) as house:
            listening = {key: listener.address for key, listener in house.listeners.items()}
            async with connect_to(listening) as services:
                yield services
    except (AddressInUseError, ConfigurationError, MeshError) as error:
        raise HouseError(str(error)) from error
