"""A service's manifest (service.toml, wrangler.toml or wrangler.json) as frozen data: the only place that builds it.

Where an environment is asked for, its entries lie over those of the top: bindings and vars by name, an entry key by
key, `name`, `main`, `triggers.crons` and the settings under `[mesh]` likewise. A manifest without that environment is
read as it stands, and says so in `Manifest.environment`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from mesh.config.binding_settings import BindingSettings, read_settings
from mesh.config.document import parse_document, read_document
from mesh.config.entrypoint_settings import EntrypointSettings, read_entrypoint
from mesh.config.problems import ConfigurationError, Problem, did_you_mean
from mesh.config.props import NO_PROPS, Props
from mesh.config.table import Table, Value
from mesh.config.wrangler import KINDS, KV_NAMESPACES, R2_BUCKETS, SECRETS, SERVICES, Entry, Kind, Scope, read_scope

DEFAULT_ENTRYPOINT = "Default"
"""The entrypoint that a binding means when it names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBinding:
    """A way to one entrypoint of another service."""

    binding: str
    """The field of Env, such as "ISBNDB_WORKER"."""
    service: str
    """The `name` of the other service's manifest."""
    entrypoint: str = DEFAULT_ENTRYPOINT
    """The class in the other service's main module."""
    props: Props = field(default_factory=lambda: NO_PROPS)
    """What the callee may know of the caller, set by whoever deploys."""


@dataclass(frozen=True, slots=True)
class KvBinding:
    """A way to a key-value store."""

    binding: str
    id: str
    """What the address book calls the store."""


@dataclass(frozen=True, slots=True)
class BucketBinding:
    """A way to an object store."""

    binding: str
    bucket_name: str
    """What the address book calls the bucket."""


@dataclass(frozen=True, slots=True)
class SecretBinding:
    """A secret, by name; its value is never in a manifest."""

    binding: str
    secret_name: str
    """What the sources of secrets call it."""
    store_id: str = ""
    """Wrangler's store; kept for its sake, since the address book says where secrets come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one service is, and what it is bound to, in one environment."""

    name: str
    """The service's name, at most 63 of a-z, 0-9, '-' and '_'."""
    main: str
    """The module that has its entrypoints."""
    path: Path
    """The file that says all this."""
    environment: str | None
    """The environment whose entries lie over the top's; None when none was asked for, or this manifest has it not."""
    environments: tuple[str, ...]
    """Every environment that the file has."""
    services: tuple[ServiceBinding, ...]
    kv_namespaces: tuple[KvBinding, ...]
    r2_buckets: tuple[BucketBinding, ...]
    secrets: tuple[SecretBinding, ...]
    vars: Mapping[str, Value]
    crons: tuple[str, ...]
    """Five fields each, UTC."""
    leaf: bool
    """Declared to bind to no service, now and later."""
    binding_settings: Mapping[str, BindingSettings]
    """For every service binding, by its name."""
    entrypoint_settings: Mapping[str, EntrypointSettings]
    """For the entrypoints that the manifest says something of, by their names."""
    ignored: tuple[str, ...]
    """Paths of the keys that are wrangler's and mean nothing here."""


def read_manifest(path: Path, env: str | None = None) -> Manifest:
    """Reads a manifest for one environment.

    Args:
        path: a .toml, .json or .jsonc file.
        env: the environment asked for, such as "production".

    Raises:
        ConfigurationError: with every problem of the file, those of its other environments too.
    """
    problems: list[Problem] = []
    return _whole(load_manifest(path, env, problems), problems)


def parse_manifest(data: bytes, path: Path, env: str | None = None) -> Manifest:
    """The same for the bytes of a file, whose name tells the syntax.

    Raises:
        ConfigurationError: with every problem.
    """
    problems: list[Problem] = []
    return _whole(_read(parse_document(data, path, problems), path, env), problems)


def load_manifest(path: Path, env: str | None, problems: list[Problem]) -> Manifest | None:
    """The same for readers of many files: notes the problems and gives what could be understood.

    What it gives serves to find more problems, and for nothing else once one was noted. None is a file that can't be
    read, or that has no name.
    """
    found: list[Problem] = []
    manifest = _read(read_document(path, found), path, env)
    problems += dict.fromkeys(found)
    return manifest


def _whole(manifest: Manifest | None, problems: list[Problem]) -> Manifest:
    if manifest is None or problems:
        raise ConfigurationError(problems)
    return manifest


def _read(table: Table | None, path: Path, env: str | None) -> Manifest | None:
    if table is None:
        return None
    base = read_scope(table, has_environments=True)
    inner: dict[str | None, Scope] = {
        name: read_scope(scope, has_environments=False).over(base) for name, scope in table.tables("env")
    }
    scopes = {None: base, **inner}
    bound = {binding for scope in scopes.values() for binding in scope.entries[SERVICES.key]}
    # Every environment is looked at, so that a fault in one shows before the day it is needed.
    for scope in scopes.values():
        table.problems.extend(_faults(scope, table, bound))
    environment = env if env in inner else None
    scope = scopes[environment]
    services = tuple(_service(name, entry) for name, entry in scope.entries[SERVICES.key].items())
    manifest = Manifest(
        name=scope.name or "",
        main=scope.main or "",
        path=path,
        environment=environment,
        environments=tuple(filter(None, inner)),
        services=services,
        kv_namespaces=tuple(KvBinding(name, text.get("id", "")) for name, text in _texts(scope, KV_NAMESPACES)),
        r2_buckets=tuple(BucketBinding(name, text.get("bucket_name", "")) for name, text in _texts(scope, R2_BUCKETS)),
        secrets=tuple(
            SecretBinding(name, text.get("secret_name", ""), text.get("store_id", ""))
            for name, text in _texts(scope, SECRETS)
        ),
        vars=MappingProxyType({name: var.value for name, var in scope.vars.items()}),
        crons=scope.crons or (),
        leaf=scope.leaf or False,
        binding_settings=_settings(scope, services),
        entrypoint_settings=MappingProxyType(
            {
                name: read_entrypoint(table for each, table in scope.entrypoints if each == name)
                for name in dict(scope.entrypoints)
            }
        ),
        ignored=scope.ignored,
    )
    return manifest if manifest.name else None


def _faults(scope: Scope, table: Table, bound: Collection[str]) -> Iterator[Problem]:
    """What is missing in a scope, or at odds with the rest of it."""
    if scope.name is None:
        yield Problem(table.where("name"), "is missing. It is the name that other services bind to.")
    if scope.main is None:
        yield Problem(table.where("main"), "is missing. It is the module that has the service's entrypoints.")
    for kind in KINDS:
        for entry in scope.entries[kind.key].values():
            yield from (Problem(f"{entry.where}.{key}", "is missing.") for key in kind.needed if key not in entry.texts)
    for name, entry in scope.entries[SERVICES.key].items():
        if scope.name and entry.texts.get("service") == scope.name:
            yield Problem(f"{entry.where}.service", f"{name!r} binds {scope.name!r} to itself. Call the code instead.")
        entrypoint = entry.texts.get("entrypoint", DEFAULT_ENTRYPOINT)
        if entrypoint and not entrypoint.isidentifier():
            yield Problem(f"{entry.where}.entrypoint", f"{entrypoint!r} is no name of a class.")
    yield from _names_used_twice(scope)
    for name, settings in scope.settings:
        if name not in bound:
            what = f"has settings, but {name!r} is no service binding here.{did_you_mean(name, bound)}"
            yield Problem(f"{settings.file}:{settings.path}", what)


def _names_used_twice(scope: Scope) -> Iterator[Problem]:
    """Bindings of different kinds, and vars, that would be one field of Env."""
    places = [(name, entry.where) for kind in KINDS for name, entry in scope.entries[kind.key].items()]
    places += [(name, var.where) for name, var in scope.vars.items()]
    first: dict[str, str] = {}
    for name, where in places:
        if first.setdefault(name, where) != where:
            yield Problem(where, f"{name!r} is the name of {first[name]} too. Give one of the two another name.")


def _texts(scope: Scope, kind: Kind) -> Iterator[tuple[str, Mapping[str, str]]]:
    return ((name, entry.texts) for name, entry in scope.entries[kind.key].items())


def _service(name: str, entry: Entry) -> ServiceBinding:
    return ServiceBinding(
        binding=name,
        service=entry.texts.get("service", ""),
        entrypoint=entry.texts.get("entrypoint", DEFAULT_ENTRYPOINT),
        props=NO_PROPS if entry.props is None else entry.props,
    )


def _settings(scope: Scope, services: Collection[ServiceBinding]) -> Mapping[str, BindingSettings]:
    found = {service.binding: BindingSettings() for service in services}
    for name, table in scope.settings:
        settings = read_settings(table, found.get(name, BindingSettings()))
        if name in found:
            found[name] = settings
    return MappingProxyType(found)
