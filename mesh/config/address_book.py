"""The address book (mesh.toml) as frozen data: the only place that says where services, stores and secrets are.

It is the only file with ports. Where an environment is asked for, its entries lie over those of the top, by name and
key by key. An environment may know the service of a manifest by another name; the entry with that name then takes the
place of the top's entry for the same manifest, since a manifest is one service.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from mesh.config.book_entries import Ground, ServiceAddress, StandIn, flat, read_service, read_stand_in
from mesh.config.document import parse_document, read_document
from mesh.config.drain_settings import DrainSettings, read_drain
from mesh.config.overlay import Overlay
from mesh.config.problems import ConfigurationError, Problem
from mesh.config.store_urls import EMBEDDED, bucket_url, kv_url, secret_source
from mesh.config.table import Table
from mesh.config.tls_settings import TlsSettings, read_tls

__all__ = [
    "PRODUCTION",
    "AddressBook",
    "ServiceAddress",
    "StandIn",
    "load_address_book",
    "parse_address_book",
    "read_address_book",
]

PRODUCTION = "production"
"""The environment in which nothing stands in for a provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """Where everything is, in one environment."""

    path: Path
    environment: str | None
    """The environment whose entries lie over the top's; None when none was asked for, or the book has it not."""
    environments: tuple[str, ...]
    """Every environment that the file has."""
    data: Path
    """Absolute; where embedded stores and sockets live."""
    services: Mapping[str, ServiceAddress]
    """By name."""
    kv: Mapping[str, str] = field(repr=False)
    """URL by the id of a manifest's kv_namespaces, "default" for all others. Silent: a URL may have a password."""
    buckets: Mapping[str, str] = field(repr=False)
    """URL by bucket_name, "default" for all others."""
    secret_sources: tuple[str, ...]
    """Where secrets are looked for, the first first: "environment", "directory:/absolute/path"."""
    stand_ins: tuple[StandIn, ...]
    tls: TlsSettings
    """How callers and callees prove who they are."""
    drain: DrainSettings = field(default_factory=DrainSettings)
    """How long the steps of an ending may take."""
    ledger: str = field(default="", repr=False)
    """URL of the store in which all processes count the calls that providers' keys make; empty where each counts for
    itself. Silent, as `kv`."""

    def kv_url(self, identity: str) -> str:
        """The URL of the key-value store that a manifest calls `identity`."""
        return self.kv.get(identity, self.kv["default"])

    def bucket_url(self, name: str) -> str:
        """The URL of the object store that has the bucket `name`."""
        return self.buckets.get(name, self.buckets["default"])


def read_address_book(path: Path, env: str | None = None, *, data: Path | None = None) -> AddressBook:
    """Reads the address book for one environment.

    Args:
        path: mesh.toml; what is relative in it is relative to its directory.
        env: the environment asked for, such as "production".
        data: takes the place of `data` in the file, with all that the file puts below that directory.

    Raises:
        ConfigurationError: with every problem of the file, those of its other environments too.
    """
    problems: list[Problem] = []
    return _whole(_read(read_document(path, problems), path, env, data), problems)


def parse_address_book(content: bytes, path: Path, env: str | None = None, *, data: Path | None = None) -> AddressBook:
    """The same for the bytes of a file; still looks whether the manifests that it names are there.

    Raises:
        ConfigurationError: with every problem.
    """
    problems: list[Problem] = []
    return _whole(_read(parse_document(content, path, problems), path, env, data), problems)


def load_address_book(
    path: Path, env: str | None, problems: list[Problem], *, data: Path | None = None
) -> AddressBook | None:
    """The same for readers of many files: notes the problems and gives what could be understood.

    What it gives serves to find more problems, and for nothing else once one was noted. None is a file that can't be
    read.
    """
    found: list[Problem] = []
    book = _read(read_document(path, found), path, env, data)
    problems += dict.fromkeys(found)
    return book


def _whole(book: AddressBook | None, problems: list[Problem]) -> AddressBook:
    if book is None or problems:
        raise ConfigurationError(problems)
    return book


def _read(table: Table | None, path: Path, env: str | None, data: Path | None) -> AddressBook | None:
    if table is None:
        return None
    known = ("data", "services", "kv", "buckets", "ledger", "secrets", "stand_ins", "drain", "tls")
    table.only((*known, "env"))
    inner: dict[str | None, Table] = dict(table.tables("env"))
    for scope in inner.values():
        scope.only(known)
    environments = tuple(filter(None, inner))
    # Every environment is built, so that a fault in one shows before the day it is needed.
    scopes: dict[str | None, Table | None] = {None: None, env: None, **inner}
    return {name: _book(path, table, scope, name, environments, data) for name, scope in scopes.items()}[env]


def _book(
    path: Path, top: Table, scope: Table | None, env: str | None, environments: tuple[str, ...], data: Path | None
) -> AddressBook:
    whole = Overlay((top,) if scope is None else (top, scope))
    ground = Ground.of(path, whole.said("data", Table.text) or ".bookmesh", data)
    services = _services(whole, scope, path, ground)
    # What stands in for a provider must never do so where people rely on the answers.
    stand_ins = _stand_ins(Overlay(() if scope is None else (scope,)) if env == PRODUCTION else whole, ground)
    if env == PRODUCTION:
        what = "stands in for a provider, which nothing may do in production. Set the secret instead."
        top.problems.extend(Problem(entry.where, what) for entry in stand_ins)
    top.problems.extend(_clashes(services, stand_ins))
    return AddressBook(
        path=path,
        environment=None if scope is None else env,
        environments=environments,
        data=ground.data,
        services=MappingProxyType({service.name: service for service in services}),
        kv=_urls(whole.below("kv"), kv_url, ground, EMBEDDED),
        buckets=_urls(whole.below("buckets"), bucket_url, ground, f"directory:{ground.data / 'buckets'}"),
        secret_sources=_secret_sources(whole.below("secrets"), ground),
        stand_ins=stand_ins,
        drain=read_drain(whole.below("drain")),
        tls=read_tls(whole.below("tls"), ground, production=env == PRODUCTION),
        ledger=_ledger(whole.below("ledger"), ground),
    )


def _services(whole: Overlay, scope: Table | None, path: Path, ground: Ground) -> list[ServiceAddress]:
    found = [read_service(name, entry, path, ground) for name, entry in whole.named("services").items()]
    own = set(Overlay((scope,)).named("services")) if scope else set()
    # An environment's name for a service goes before the top's.
    renamed = {flat(service.manifest) for service in found if service.name in own}
    kept = [service for service in found if service.name in own or flat(service.manifest) not in renamed]
    first: dict[Path, str] = {}
    for service in kept:
        name = first.setdefault(flat(service.manifest), service.name)
        if name != service.name:
            whole.tables[0].problems.append(
                Problem(service.where, f"has the manifest of {name!r}. Keep one of the two.")
            )
    return kept


def _stand_ins(whole: Overlay, ground: Ground) -> tuple[StandIn, ...]:
    return tuple(read_stand_in(name, entry, ground) for name, entry in whole.named("stand_ins").items())


def _clashes(services: list[ServiceAddress], stand_ins: tuple[StandIn, ...]) -> Iterator[Problem]:
    """Addresses on which two would have to listen."""
    claims = [
        (f"{service.where}.{key}", address)
        for key in ("default", "admin", "mesh")
        for service in services
        for replica in service.replicas
        if (address := getattr(replica, key)) is not None
    ]
    claims += [(f"{stand_in.where}.address", stand_in.address) for stand_in in stand_ins]
    first: dict[str, str] = {}
    for where, address in claims:
        claim = address.claim()
        if claim is not None and claim in first:
            too = "another replica" if first[claim] == where else first[claim]
            yield Problem(where, f"{address.target} is the address of {too} too. Use another port.")
        elif claim is not None:
            first[claim] = where


def _urls(
    table: Overlay, read: Callable[[str, Callable[[str], Path]], str], ground: Ground, default: str
) -> Mapping[str, str]:
    found = {"default": default}
    for key in table.keys():  # noqa: SIM118 - an Overlay is no dict
        text = table.said(key, Table.text)
        try:
            found[key] = read(text, ground.place) if text else ""
        except ValueError as error:
            table.note(key, str(error))
    return MappingProxyType(found)


def _ledger(table: Overlay, ground: Ground) -> str:
    table.only(("kv",))
    text = table.said("kv", Table.text)
    try:
        return kv_url(text, ground.place) if text else ""
    except ValueError as error:
        table.note("kv", str(error))
        return ""


def _secret_sources(table: Overlay, ground: Ground) -> tuple[str, ...]:
    table.only(("sources",))
    texts = table.said("sources", Table.texts)
    try:
        return ("environment",) if texts is None else tuple(secret_source(text, ground.place) for text in texts)
    except ValueError as error:
        table.note("sources", str(error))
        return ()
