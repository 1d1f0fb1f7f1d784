"""Everything that is read before anything is opened: address book, manifests, code, secrets; all problems at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.config.address_book import AddressBook, StandIn, load_address_book
from mesh.config.manifest import Manifest, load_manifest
from mesh.config.permissions import Door, doors
from mesh.config.problems import ConfigurationError, Problem
from mesh.config.topology import check, start_order
from mesh.hosting.bindings import check_env
from mesh.hosting.worker import Worker, load_worker
from mesh.secrets import ChainedSecrets, DirectorySecrets, EnvironmentSecrets, Secret, SecretSource

EMBEDDED = "embedded"
"""In the address book, the key-value server that the project starts by itself."""

KV_VARIABLE = "BOOKMESH_EMBEDDED_KV"
"""Where a process finds the embedded server that another process has started; set, it starts no shared part itself."""

DATA_VARIABLE = "BOOKMESH_DATA"
"""Overrides where embedded stores keep their data."""


LIVE_VARIABLE = "LIVE"
"""Set to anything but 0, it lets nothing stand in for a provider: one whose secret is unset is then done without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Services, read and checked, ready to be run."""

    book: AddressBook
    """Where everything is."""
    environment: str | None
    """The environment that was asked for."""
    workers: Mapping[str, Worker]
    """Every service by name."""
    secrets: SecretSource
    """Where secrets are found."""
    stand_ins: tuple[StandIn, ...]
    """The stand-ins in force: those whose secret is not set."""
    variables: Mapping[str, str]
    """What wins over the manifests' vars."""
    data: Path
    """Where embedded stores keep their data."""
    embedded_kv: str
    """The URL of the embedded key-value server; empty while none runs."""
    supervised: bool
    """Another process runs the shared parts: the embedded server and the stand-ins."""
    replica: int = 1
    """Which replica of its services this process is, counted from 1."""

    def doors(self) -> Mapping[tuple[str, str], Door]:
        """Who may call each entrypoint, by service and entrypoint; what is not in it is closed to all but operators."""
        public = [service.name for service in self.book.services.values() if service.public]
        return doors([worker.manifest for worker in self.workers.values()], public)

    def start_order(self) -> list[Worker]:
        """The services, leaves first, so that a binding finds its target running."""
        names = start_order([worker.manifest for worker in self.workers.values()])
        return [self.workers[name] for name in names]

    def kv_url(self, identity: str) -> str:
        """The URL of the key-value store of an id."""
        url = self.book.kv_url(identity)
        return self.embedded_kv if url == EMBEDDED else url

    def ledger_url(self) -> str:
        """The URL of the store of the shared ledger; empty where each process counts for itself."""
        return self.embedded_kv if self.book.ledger == EMBEDDED else self.book.ledger

    def bucket_url(self, name: str) -> str:
        """The URL of the bucket of a name."""
        return self.book.bucket_url(name)

    def needs_embedded_kv(self) -> bool:
        """Whether the ledger, or a store that a manifest names, is left to the embedded server by the address book."""
        ids = (kv.id for worker in self.workers.values() for kv in worker.manifest.kv_namespaces)
        return EMBEDDED in {self.book.ledger, *(self.book.kv_url(identity) for identity in ids)}


def read_deployment(book_path: Path, environment: str | None, environ: Mapping[str, str]) -> Deployment:
    """Reads and checks a deployment; opens nothing.

    Args:
        book_path: mesh.toml.
        environment: the environment of every manifest to read, such as "production".
        environ: the process's environment.

    Raises:
        ConfigurationError: with everything that is wrong, in the files, between them, and against the code.
    """
    problems: list[Problem] = []
    found_book, manifests = read_files(book_path, environment, environ, problems)
    if problems or found_book is None:
        # Code and secrets are only looked at for files that can be trusted.
        raise ConfigurationError(problems)
    book = found_book
    workers = _load(manifests, problems)
    found = _secrets(book, environ)
    live = environ.get(LIVE_VARIABLE, "0") not in ("", "0")
    missing = (stand_in for stand_in in book.stand_ins if found.get(stand_in.secret_name) is None)
    stand_ins = () if live else tuple(missing)
    secrets = ChainedSecrets((found, _StandInSecrets(stand_ins)))
    variables = _variables(manifests, stand_ins, environ)
    for worker in workers.values():
        problems += check_env(worker, workers, secrets, variables)
    if problems:
        raise ConfigurationError(problems)
    return Deployment(
        book=book,
        environment=environment,
        workers=workers,
        secrets=secrets,
        stand_ins=stand_ins,
        variables=variables,
        data=book.data,
        embedded_kv=environ.get(KV_VARIABLE, ""),
        supervised=KV_VARIABLE in environ,
    )


def read_files(
    book_path: Path, environment: str | None, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[AddressBook | None, list[Manifest]]:
    """The address book and the manifests that it names, as far as they can be read, with all that is wrong in them."""
    data = Path(environ[DATA_VARIABLE]) if environ.get(DATA_VARIABLE) else None
    book = load_address_book(book_path, environment, problems, data=data)
    if book is None:
        return None, []
    read = (load_manifest(address.manifest, environment, problems) for address in book.services.values())
    manifests = [manifest for manifest in read if manifest is not None]
    problems += check(manifests, book, environment)
    return book, manifests


def _load(manifests: list[Manifest], problems: list[Problem]) -> dict[str, Worker]:
    workers = {}
    for manifest in manifests:
        try:
            workers[manifest.name] = load_worker(manifest)
        except ConfigurationError as error:
            problems += error.problems
    return workers


def _secrets(book: AddressBook, environ: Mapping[str, str]) -> SecretSource:
    sources: list[SecretSource] = []
    for source in book.secret_sources:
        kind, _, place = source.partition(":")
        sources.append(EnvironmentSecrets(environ) if kind == "environment" else DirectorySecrets(Path(place)))
    return ChainedSecrets(tuple(sources))


def _variables(manifests: list[Manifest], stand_ins: tuple[StandIn, ...], environ: Mapping[str, str]) -> dict[str, str]:
    """Vars that a manifest declares can be set in the environment; a stand-in's own are for its time alone."""
    declared = {name for manifest in manifests for name in manifest.vars}
    said = {name: environ[name] for name in declared if name in environ}
    stood_in = {name: str(value) for stand_in in stand_ins for name, value in stand_in.vars.items()}
    return {**said, **stood_in}


class _StandInSecrets:
    """What secrets resolve to while their stand-ins run."""

    def __init__(self, stand_ins: tuple[StandIn, ...]) -> None:
        self._secrets = {stand_in.secret_name: stand_in.secret for stand_in in stand_ins}

    def get(self, name: str) -> Secret | None:
        """The stand-in's secret of a name."""
        value = self._secrets.get(name)
        return None if value is None else Secret(name, value)


def child_environ(deployment: Deployment, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that runs one service of a deployment whose shared parts run here."""
    return {**environ, KV_VARIABLE: deployment.embedded_kv or "none", DATA_VARIABLE: os.fspath(deployment.data)}
