"""Manifest and Env type to Env: the annotation of a field is the constructor of its binding.

`check_env` says everything that is wrong before anything is opened; `bind` opens.
"""

import dataclasses
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from mesh.config.manifest import Manifest, ServiceBinding
from mesh.config.problems import Problem, did_you_mean
from mesh.contract import is_stub, service_of
from mesh.hosting.worker import Worker
from mesh.introspection import Introspection
from mesh.secrets import Secret, SecretSource
from mesh.stores.protocol import Bucket, Kv
from mesh.transport.channel import BindingChannel

_VARS: tuple[type, ...] = (str, int, float, bool)

_TRUE_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Openers:
    """How bindings come to be; given, so that this module opens nothing by itself."""

    connect: Callable[[ServiceBinding], BindingChannel]
    """A channel to the entrypoint that a binding names."""
    open_kv: Callable[[str], Awaitable[Kv]]
    """The key-value store of an id."""
    open_bucket: Callable[[str], Awaitable[Bucket]]
    """The bucket of a name."""
    secrets: SecretSource
    """Where secrets are found."""
    variables: Mapping[str, str]
    """What the environment and the stand-ins say of vars; it wins over the manifest."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """A binding as the manifest declares it."""

    kind: str
    entry: Any


def kind_of(annotation: object) -> str | None:
    """What an annotation asks for; None when it is nothing that can be bound."""
    if is_stub(annotation):
        return "service"
    if annotation in _VARS:
        return "var"
    if annotation is Introspection:
        return "mesh"
    if annotation is Kv:
        return "kv namespace"
    if annotation is Bucket:
        return "bucket"
    return "secret" if _as_secret(annotation) else None


def _as_secret(annotation: object) -> bool:
    if annotation is Secret:
        return True
    return isinstance(annotation, types.UnionType) and set(typing.get_args(annotation)) == {Secret, types.NoneType}


def _is_optional(annotation: object) -> bool:
    return isinstance(annotation, types.UnionType)


def _declared(manifest: Manifest) -> dict[str, _Declared]:
    return {
        **{entry.binding: _Declared("service", entry) for entry in manifest.services},
        **{entry.binding: _Declared("kv namespace", entry) for entry in manifest.kv_namespaces},
        **{entry.binding: _Declared("bucket", entry) for entry in manifest.r2_buckets},
        **{entry.binding: _Declared("secret", entry) for entry in manifest.secrets},
        **{name: _Declared("var", value) for name, value in manifest.vars.items()},
    }


def find_secret(entry: Any, secrets: SecretSource) -> Secret | None:
    """The secret of a binding: by the name that the manifest gives it in the store, else by the binding's own."""
    return secrets.get(entry.secret_name) or secrets.get(entry.binding)


def check_env(
    worker: Worker, workers: Mapping[str, Worker], secrets: SecretSource, variables: Mapping[str, str]
) -> list[Problem]:
    """Everything in which a service's manifest and its Env do not agree.

    Args:
        worker: the service.
        workers: every service of the address book by name, to know what their entrypoints speak.
        secrets: where secrets are found.
        variables: what wins over the manifest's vars.
    """
    manifest = worker.manifest
    declared = _declared(manifest)
    hints = typing.get_type_hints(worker.env_type)
    fields = {field.name: field for field in dataclasses.fields(worker.env_type)}
    env = f"{worker.env_type.__module__}.Env"
    problems = [
        Problem(f"{manifest.path}:{name}", f"is declared, but {env} has no such field.{did_you_mean(name, fields)}")
        for name in declared
        if name not in fields
    ]
    problems += [
        Problem(
            f"{manifest.path}:mesh.entrypoints.{name}",
            f"has settings, but there is no such entrypoint.{did_you_mean(name, worker.entrypoints)}",
        )
        for name in manifest.entrypoint_settings
        if name not in worker.entrypoints
    ]
    for name, field in fields.items():
        wanted, found = kind_of(hints[name]), declared.get(name)
        where = f"{env}.{name}"
        if wanted is None:
            problems.append(Problem(where, f"is a {hints[name]!r}, which nothing can be bound to."))
        elif wanted == "mesh":
            continue
        elif found is None:
            if field.default is dataclasses.MISSING or wanted != "var":
                what = f"is a {wanted} that {manifest.path} does not declare.{did_you_mean(name, declared)}"
                problems.append(Problem(where, what))
        elif found.kind != wanted:
            problems.append(Problem(where, f"is a {wanted}, but {manifest.path} declares a {found.kind}."))
        else:
            problems += _check_binding(where, hints[name], found, manifest, workers, secrets, variables.get(name))
    return problems


def _check_binding(
    where: str,
    annotation: Any,
    found: _Declared,
    manifest: Manifest,
    workers: Mapping[str, Worker],
    secrets: SecretSource,
    variable: str | None,
) -> list[Problem]:
    match found.kind:
        case "service":
            return _check_service(where, annotation, found.entry, manifest, workers)
        case "secret" if not _is_optional(annotation) and find_secret(found.entry, secrets) is None:
            what = f"needs the secret {found.entry.secret_name}, which is not set. Set it in the environment."
            return [Problem(where, what)]
        case "var":
            try:
                convert(annotation, found.entry if variable is None else variable)
            except ValueError as error:
                return [Problem(where, str(error))]
    return []


def _check_service(
    where: str, stub: type, entry: ServiceBinding, manifest: Manifest, workers: Mapping[str, Worker]
) -> list[Problem]:
    target = workers.get(entry.service)
    if target is None:
        # The topology says what is wrong with a service that nobody knows.
        return []
    entrypoint = target.entrypoints.get(entry.entrypoint)
    if entrypoint is None:
        named = did_you_mean(entry.entrypoint, target.entrypoints)
        return [Problem(where, f"{entry.service} has no entrypoint called {entry.entrypoint}.{named}")]
    speaks, wants = service_of(entrypoint).name, service_of(stub).name
    if speaks != wants:
        what = f"wants {wants}, but {entry.entrypoint} of {entry.service} speaks {speaks}."
        return [Problem(where, what)]
    known = {method.name for method in service_of(stub).methods.values()}
    return [
        Problem(
            f"{manifest.path}:mesh.bindings.{entry.binding}.methods.{name}",
            f"is no method of {wants}.{did_you_mean(name, known)}",
        )
        for name in manifest.binding_settings[entry.binding].methods
        if name not in known
    ]


def convert(annotation: Any, value: object) -> str | int | float | bool:
    """A var as its field's type; manifests write numbers as text, as the original's do.

    Raises:
        ValueError: it can't be read as that type.
    """
    text = str(value).strip()
    if annotation is bool:
        if text.lower() not in _TRUE_WORDS:
            raise ValueError(f"must be true or false, not {text!r}.")
        return _TRUE_WORDS[text.lower()]
    if annotation is str:
        return text
    try:
        return annotation(text)  # type: ignore[no-any-return]  # int or float, by kind_of
    except ValueError:
        raise ValueError(f"must be {annotation.__name__}, not {text!r}.") from None


async def bind(worker: Worker, openers: Openers, mesh: Introspection, closing: AsyncExitStack) -> Any:
    """Opens every binding of a checked service and fills its Env; what is opened is closed with `closing`."""
    declared = _declared(worker.manifest)
    hints = typing.get_type_hints(worker.env_type)
    values: dict[str, object] = {}
    for field in dataclasses.fields(worker.env_type):
        annotation, found = hints[field.name], declared.get(field.name)
        if kind_of(annotation) == "mesh":
            values[field.name] = mesh
        elif found is not None:
            values[field.name] = await _open(annotation, field.name, found, openers, closing)
    return worker.env_type(**values)


async def _open(annotation: Any, name: str, found: _Declared, openers: Openers, closing: AsyncExitStack) -> object:
    match found.kind:
        case "service":
            channel = openers.connect(found.entry)
            closing.push_async_callback(channel.close)
            return annotation(channel)
        case "kv namespace":
            kv = await openers.open_kv(found.entry.id)
            closing.push_async_callback(kv.aclose)
            return kv
        case "bucket":
            bucket = await openers.open_bucket(found.entry.bucket_name)
            closing.push_async_callback(bucket.aclose)
            return bucket
        case "secret":
            return find_secret(found.entry, openers.secrets)
    return convert(annotation, openers.variables.get(name, found.entry))
