"""The certificates of a deployment: which it needs, whether they can be used, and that those made here never end."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from mesh.config.address_book import AddressBook, read_address_book
from mesh.config.problems import ConfigurationError, Problem
from mesh.hosting.deployment import DATA_VARIABLE, Deployment
from mesh.identity.authority import Issued, ensure
from mesh.identity.credentials import Credentials
from mesh.identity.spiffe import Identity

OPERATOR = "operator"
"""What the operator is called for whom a certificate is made."""

_AGAIN_S = 12 * 3600.0
"""Seconds between two looks at whether a certificate is about to end, while a deployment runs."""

_log = structlog.get_logger("mesh.hosting.certificates")


def holders(book: AddressBook, operators: Collection[str] = (OPERATOR,)) -> list[Identity]:
    """Everybody who needs a certificate.

    Raises:
        ConfigurationError: an operator is called as a service, whose file would be the same.
    """
    both = sorted(set(operators) & set(book.services))
    if both:
        raise ConfigurationError([Problem("--operator", f"{both[0]!r} is a service. Use another name.")])
    domain = book.tls.trust_domain
    return [
        *(Identity(domain, "service", name) for name in book.services),
        *(Identity(domain, "operator", name) for name in operators),
    ]


def made(book: AddressBook) -> list[Issued]:
    """Makes what is missing or about to end.

    Raises:
        ConfigurationError: the authority in the directory is not ours.
    """
    return ensure(book.tls.certificates, holders(book), datetime.now(UTC))


def issue(
    book_path: Path,
    environment: str | None,
    environ: Mapping[str, str],
    *,
    folder: Path | None,
    operators: Collection[str],
    renew: bool,
) -> list[Issued]:
    """The same for an address book that is yet to be read.

    Args:
        book_path: mesh.toml.
        environment: the environment asked for.
        environ: the process's environment.
        folder: where to; where the address book says when None.
        operators: who may call everything; OPERATOR when there is none.
        renew: make all of them anew, the authority too.

    Raises:
        ConfigurationError: the address book is wrong, a name is that of a service, or the authority is not ours.
    """
    data = environ.get(DATA_VARIABLE)
    book = read_address_book(book_path, environment, data=Path(data) if data else None)
    wanted = holders(book, operators or (OPERATOR,))
    return ensure(folder or book.tls.certificates, wanted, datetime.now(UTC), renew=renew)


def is_needed(book: AddressBook) -> bool:
    """Whether a certificate is shown anywhere."""
    return book.tls.people or any(service.mesh_addresses() for service in book.services.values())


@asynccontextmanager
async def kept(book: AddressBook) -> AsyncIterator[None]:
    """Makes the certificates, if they are ours to make, and keeps them from ending until the block does.

    Raises:
        ConfigurationError: the authority in the directory is not ours.
    """
    if not book.tls.made_here or not is_needed(book):
        yield
        return
    _tell(made(book))
    keeping = asyncio.get_running_loop().create_task(_keep(book), name="keep certificates")
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep(book: AddressBook) -> None:
    while True:
        await asyncio.sleep(_AGAIN_S)
        try:
            _tell(await asyncio.to_thread(made, book))
        except (ConfigurationError, OSError) as error:
            _log.error("certificates_not_renewed", why=str(error))


def _tell(issued: Collection[Issued]) -> None:
    fresh = [each.identity.name for each in issued if each.fresh]
    if fresh:
        _log.info("certificates_made", names=fresh)


def missing(deployment: Deployment, only: Collection[str] | None) -> Iterator[Problem]:
    """Certificates of the services to run that are not there or can't be used, and what to do about it."""
    found = False
    for name in deployment.book.services:
        if only is None or name in only:
            try:
                Credentials(deployment.book.tls.certificates, name)
            except ConfigurationError as error:
                found = True
                yield from error.problems
    if found:
        what = (
            f"{deployment.book.tls.certificates} needs ca.pem, and for each service NAME.pem with its certificate and "
            "its key. Nothing starts without; `bookmesh certs` makes some for a trial."
        )
        yield Problem(f"{deployment.book.path}:tls.certificates", what)
