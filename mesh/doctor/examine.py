"""The whole examination: the only place that gives the checks what they look at, and gathers what they find."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from mesh.config.address_book import AddressBook
from mesh.config.manifest import Manifest
from mesh.config.problems import ConfigurationError, Problem
from mesh.config.store_urls import EMBEDDED
from mesh.doctor import certificates, clocks, machine, ports, running, settings, stores
from mesh.doctor.finding import Finding, error, ordered
from mesh.doctor.first_aid import first_aid
from mesh.hosting.deployment import Deployment, read_deployment, read_files
from mesh.hosting.embedded import running_on
from mesh.quota.open import LEDGER

Check = Callable[[], Iterable[Finding] | Awaitable[Iterable[Finding]]]


async def examine(book_path: Path, environment: str | None, environ: Mapping[str, str]) -> list[Finding]:
    """Everything that is found, the worst first.

    Args:
        book_path: mesh.toml.
        environment: the environment that is asked for.
        environ: the process's environment.
    """
    problems: list[Problem] = []
    book, manifests = read_files(book_path, environment, environ, problems)
    deployment: Deployment | None = None
    if not problems:
        try:
            deployment = read_deployment(book_path, environment, environ)
        except ConfigurationError as failure:
            problems += failure.problems
        except Exception as failure:  # noqa: BLE001 - the services' code may fail in any way while it is imported
            problems.append(Problem(str(book_path), f"names code that can't be imported: {type(failure).__name__}."))
    checks = [*_anywhere(environ), *_of_files(manifests, problems, book_path)]
    if book is not None:
        checks += [*_of_places(book, deployment), *_of_stores(book, manifests)]
    if deployment is not None:
        found = deployment
        checks.append(lambda: settings.secrets(manifests, found.secrets, found.stand_ins, environ.keys()))
    return ordered([finding for each in await asyncio.gather(*map(_result, checks)) for finding in each])


async def _result(check: Check) -> list[Finding]:
    """What a check finds. One that breaks is a finding, and keeps no other from being made."""
    try:
        found = check()
        return list(await found if isinstance(found, Awaitable) else found)
    except Exception as failure:  # noqa: BLE001 - a doctor that dies of what it looks at helps nobody
        what = f"a check broke with {type(failure).__name__}, so it is unknown what it looks at."
        return [error("doctor", what, "Tell the people who make bookmesh.")]


def _anywhere(environ: Mapping[str, str]) -> Iterator[Check]:
    """What can be looked at without any file of the deployment."""
    yield first_aid
    yield lambda: settings.unknown_variables(environ.keys())
    yield lambda: clocks.jumps(time.time, time.monotonic, time.sleep)
    yield lambda: clocks.zone(environ.get("TZ"))
    yield lambda: machine.open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _of_files(manifests: list[Manifest], problems: list[Problem], book_path: Path) -> Iterator[Check]:
    """What the files of the deployment say."""
    yield lambda: settings.configuration(dict.fromkeys(problems))
    yield lambda: settings.ignored_settings(manifests)
    yield lambda: clocks.from_the_future([book_path, *(manifest.path for manifest in manifests)], time.time())


def _of_places(book: AddressBook, deployment: Deployment | None) -> Iterator[Check]:
    """Where things are."""
    data = book.data
    workers = {} if deployment is None else deployment.workers
    stand_ins = () if deployment is None else deployment.stand_ins
    expected = running.listeners(book, workers)
    shown = running.security(book.tls)
    means = running.Means(
        look=ports.look, holder=ports.holder, ask=lambda listener: running.ask_health(listener, shown(listener))
    )
    sockets = [Path(each.address.target.removeprefix("unix:")) for each in expected if each.address.kind == "unix"]
    yield lambda: machine.data_directory(data, time.time)
    yield lambda: machine.stale_sockets([*sockets, *data.glob("**/*.sock")])
    yield lambda: machine.stale_process_files(data)
    yield lambda: certificates.certificates(certificates.certificate_files(book.tls.certificates), time.time())
    yield lambda: certificates.operator_token(data)
    yield lambda: running.addresses(expected, stand_ins, means)


def _of_stores(book: AddressBook, manifests: list[Manifest]) -> Iterator[Check]:
    """Every store that a manifest names, and the one of the ledger."""
    embedded = running_on(book.data / "valkey")
    ids = dict.fromkeys(kv.id for manifest in manifests for kv in manifest.kv_namespaces)
    places = {identity: book.kv_url(identity) for identity in ids}
    for identity, said in (*places.items(), (LEDGER, book.ledger)):
        url = embedded if said == EMBEDDED else said
        # The embedded server is no fault while it does not run: it starts with the deployment.
        if url:
            yield partial(stores.key_value_store, url, identity)
    for name in dict.fromkeys(bucket.bucket_name for manifest in manifests for bucket in manifest.r2_buckets):
        yield partial(stores.object_store, book.bucket_url(name), name)
