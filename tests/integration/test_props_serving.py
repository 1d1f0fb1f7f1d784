"""Props from a manifest to an entrypoint through a house that is really served."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from bookmesh.isbndb.v1.isbndb_service_pb2 import GetBookRequest
from grpc import aio

from mesh.hosting.deployment import read_deployment
from mesh.hosting.serve import serving

CODE = """
from dataclasses import dataclass
from bookmesh.isbndb.v1.isbndb_service_pb2 import GetBookResponse
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub
from mesh.context import Context, props_of

SEEN = []

@dataclass(frozen=True)
class Env:
    {fields}

class Default(IsbndbServiceServicer):
    def __init__(self, env):
        self.env = env

    async def GetBook(self, request, context):
        SEEN.append(dict(props_of(context)))
        return await self.env.BACK.GetBook(request) if hasattr(self.env, "BACK") else GetBookResponse()
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Any]]:
    """An address book of two services, and the modules that they run."""
    monkeypatch.syspath_prepend(str(tmp_path))
    book, names = tmp_path / "mesh.toml", []
    book.write_text('[kv]\ndefault = "memory:"\n')
    bound = 'services = [{ binding = "BACK", service = "back", props = { tier = "gold" } }]\n'
    for name, manifest, fields in (("front", bound, "BACK: IsbndbServiceStub"), ("back", "", "pass")):
        names.append(f"props_{name}")
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\nmain = "props_{name}"\n{manifest}')
        (tmp_path / f"props_{name}.py").write_text(CODE.format(fields=fields))
        with book.open("a") as file:
            file.write(f'[services.{name}]\nmanifest = "{name}.toml"\ndefault = "127.0.0.1:0"\npublic = true\n')

    def module(name: str) -> ModuleType:
        return sys.modules[f"props_{name}"]

    yield book, module
    for name in names:
        sys.modules.pop(name, None)


async def test_props_of_a_served_house(modules: tuple[Path, Any]) -> None:
    """A service of the same process reads its caller's props; a caller from outside has none, whatever it claims."""
    book, module = modules
    async with (
        serving(read_deployment(book, None, {})) as house,
        aio.insecure_channel(house.address("front")) as front,
        aio.insecure_channel(house.address("back")) as back,
    ):
        data, path = (
            GetBookRequest(isbn="9780441172711").SerializeToString(),
            "/bookmesh.isbndb.v1.IsbndbService/GetBook",
        )
        ask_front: Any = front.unary_unary(path)
        ask_back: Any = back.unary_unary(path)
        await ask_front(data)
        forged = ask_back(data, metadata=(("x-bookmesh-binding", "BACK"),))
        assert await forged.code() is grpc.StatusCode.OK
    assert (module("front").SEEN, module("back").SEEN) == ([{}], [{"tier": "gold"}, {}])
