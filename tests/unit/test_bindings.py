"""Manifest and Env: where they differ nothing starts, and all that is wrong is said at once."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub

from mesh.breakers import Breakers
from mesh.config.manifest import Manifest, ServiceBinding, parse_manifest
from mesh.hosting.bindings import Openers, bind, check_env, convert
from mesh.hosting.worker import Worker
from mesh.introspection import Introspection
from mesh.secrets import EnvironmentSecrets, Secret
from mesh.stats import Stats
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Bucket, Kv

MANIFEST = """
name = "tester"
main = "tester"
services = [{ binding = "LEAF", service = "leaf" }]
kv_namespaces = [{ binding = "CACHE", id = "cache" }]
r2_buckets = [{ binding = "COLD", bucket_name = "cold" }]
secrets_store_secrets = [{ binding = "KEY", secret_name = "The_Key", store_id = "x" }]
[vars]
TTL = "3600"
RATIO = "0.5"
ON = "true"
WORD = "abc"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """What MANIFEST declares."""

    LEAF: IsbndbServiceStub
    CACHE: Kv
    COLD: Bucket
    KEY: Secret
    TTL: int
    RATIO: float
    ON: bool
    WORD: str
    MESH: Introspection


class Default(BooksServiceServicer):
    """An entrypoint."""


class LeafDefault(IsbndbServiceServicer):
    """The leaf's entrypoint."""


def manifest(text: str = MANIFEST) -> Manifest:
    """A manifest."""
    return parse_manifest(text.encode(), Path("tester.toml"))


def worker(env_type: type = Env, text: str = MANIFEST) -> Worker:
    """A service whose code is here."""
    return Worker(manifest=manifest(text), env_type=env_type, entrypoints={"Default": Default}, lifespan=None)


def leaf(entrypoint: type = LeafDefault) -> Worker:
    """The service at the other end."""
    made = manifest('name = "leaf"\nmain = "leaf"')
    return Worker(manifest=made, env_type=Env, entrypoints={"Default": entrypoint}, lifespan=None)


SECRETS = EnvironmentSecrets({"The_Key": "value"})


def problems(env_type: type, text: str = MANIFEST, **more: Any) -> list[str]:
    """What is wrong, as people read it."""
    workers = {"leaf": more.get("leaf") or leaf()}
    found = check_env(worker(env_type, text), workers, more.get("secrets", SECRETS), more.get("variables", {}))
    return [str(problem) for problem in found]


def test_what_fits_has_no_problem() -> None:
    """An Env that has what its manifest declares starts."""
    assert problems(Env) == []


def test_everything_is_said_at_once() -> None:
    """A binding too many, one too few, another kind and a var that can't be read are told in one go."""

    @dataclass(frozen=True)
    class Wrong:
        LEAF: Kv
        CACHES: Kv
        COLD: Bucket
        KEY: Secret
        TTL: int
        RATIO: float
        ON: bool
        WORD: int

    assert [line.split(" ", 1)[1] for line in problems(Wrong)] == [
        "is declared, but test_bindings.Env has no such field. Did you mean 'CACHES'?".replace(
            "test_bindings", Wrong.__module__
        ),
        "is a kv namespace, but tester.toml declares a service.",
        "is a kv namespace that tester.toml does not declare. Did you mean 'CACHE'?",
        "must be int, not 'abc'.",
    ]


def test_secret_that_is_not_set() -> None:
    """A secret that must be there and is not stops the start; its name in the store is told."""
    assert [("The_Key" in line, "not set" in line) for line in problems(Env, secrets=EnvironmentSecrets({}))] == [
        (True, True)
    ]


def test_secret_by_the_name_of_its_binding() -> None:
    """A secret is also found under the name of its binding."""
    assert problems(Env, secrets=EnvironmentSecrets({"KEY": "value"})) == []


def test_settings_of_a_method_that_is_none() -> None:
    """Settings of a method that the contract does not have are a mistake, and the one that was meant is named."""
    found = problems(Env, MANIFEST + "\n[mesh.bindings.LEAF.methods.GetBok]\ndeadline_ms = 5\n")
    assert [line.split(": ", 1)[1] for line in found] == [
        "is no method of bookmesh.isbndb.v1.IsbndbService. Did you mean 'GetBook'?"
    ]


def test_settings_of_an_entrypoint_that_is_none() -> None:
    """Settings of an entrypoint that the service does not have are a mistake."""
    found = problems(Env, MANIFEST + "\n[mesh.entrypoints.Defalt]\nqueue = 5\n")
    assert [line.split(": ", 1)[1] for line in found] == [
        "has settings, but there is no such entrypoint. Did you mean 'Default'?"
    ]


def test_entrypoint_that_speaks_another_contract() -> None:
    """A stub of another contract than the entrypoint's stops the start."""
    found = problems(Env, leaf=leaf(Default))
    assert [("IsbndbService" in line, "BooksService" in line) for line in found] == [(True, True)]


def test_entrypoint_that_is_not_there() -> None:
    """A binding to an entrypoint that the service does not have stops the start."""
    text = MANIFEST.replace('service = "leaf"', 'service = "leaf", entrypoint = "Defualt"')
    assert ["Did you mean 'Default'?" in line for line in problems(Env, text)] == [True]


def test_field_that_nothing_can_be_bound_to() -> None:
    """A field of a type that is no binding stops the start."""

    @dataclass(frozen=True)
    class Odd(Env):
        THING: list[str]

    assert ["nothing can be bound" in line for line in problems(Odd)] == [True]


def test_the_environment_wins_over_vars() -> None:
    """A var that the environment sets is checked as the environment has it."""
    assert ["must be int" in line for line in problems(Env, variables={"TTL": "soon"})] == [True]


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [(int, "3600", 3600), (float, "0.5", 0.5), (str, " a ", "a"), (bool, "Yes", True), (bool, "0", False)],
)
def test_vars_are_converted(annotation: type, text: str, value: object) -> None:
    """A var is read as its field's type."""
    assert convert(annotation, text) == value


@pytest.mark.parametrize(("annotation", "text"), [(int, "1.5"), (int, ""), (float, "x"), (bool, "maybe")])
def test_vars_that_cannot_be_read(annotation: type, text: str) -> None:
    """A var that is not of its field's type is refused."""
    with pytest.raises(ValueError, match="must be"):
        convert(annotation, text)


class Channel:
    """What a stub is made with; only that it is closed matters here."""

    def __init__(self) -> None:
        self.closed = False

    def unary_unary(self, *_: object, **__: object) -> object:
        """A method of the stub."""
        return self

    async def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True


async def test_bind_opens_and_closes_everything() -> None:
    """Every field gets its binding, and what was opened is closed with the service."""
    kv, bucket, channel = MemoryKv(), MemoryBucket(), Channel()
    asked: list[object] = []

    def connect(entry: ServiceBinding) -> Any:
        asked.append(entry.service)
        return channel

    async def open_kv(identity: str) -> Kv:
        asked.append(identity)
        return kv

    async def open_bucket(name: str) -> Bucket:
        asked.append(name)
        return bucket

    openers = Openers(
        connect=connect, open_kv=open_kv, open_bucket=open_bucket, secrets=SECRETS, variables={"TTL": "5"}
    )
    mesh = Introspection(worker="tester", stats=Stats(), breakers=Breakers())
    async with AsyncExitStack() as closing:
        env = await bind(worker(), openers, mesh, closing)
    assert asked == ["leaf", "cache", "cold"]
    assert isinstance(env.LEAF, IsbndbServiceStub)
    assert (env.CACHE, env.COLD, env.KEY, env.TTL, env.RATIO, env.ON, env.WORD, env.MESH, channel.closed) == (
        kv,
        bucket,
        Secret("The_Key", "value"),
        5,
        0.5,
        True,
        "abc",
        mesh,
        True,
    )


def test_stub_of_another_kind_is_a_service() -> None:
    """Any generated stub asks for a service binding."""

    @dataclass(frozen=True)
    class Other(Env):
        LEAF: BooksServiceStub  # type: ignore[assignment]  # another contract than the manifest's target speaks

    assert len(problems(Other)) == 1
