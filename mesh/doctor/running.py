"""Whether each address of a deployment is free or has what belongs there: what runs, what should, what is alien."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.call import Call, Side
from mesh.config.address import Address
from mesh.config.address_book import AddressBook, StandIn
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.config.problems import ConfigurationError
from mesh.config.tls_settings import TlsSettings
from mesh.config.topology import ADMIN_ENTRYPOINT
from mesh.contract import service_of
from mesh.doctor.finding import Finding, error, note, warning
from mesh.doctor.ports import Holder, Place
from mesh.hosting.certificates import OPERATOR
from mesh.hosting.listening import MESH
from mesh.hosting.worker import Worker
from mesh.identity.credentials import Credentials, Trust
from mesh.identity.spiffe import Identity
from mesh.status import MeshError
from mesh.transport.aio import AioTransport, Security
from mesh.transport.calls import as_message

HEALTH_S = 2.0
"""Seconds that a service gets to say how it is; a probe of Kubernetes gives it one."""

SERVING = "SERVING"


@dataclass(frozen=True, slots=True)
class Listener:
    """One entrypoint of the address book."""

    service: str
    entrypoint: str
    address: Address
    contract: str
    """The proto service that answers there, by which its health is asked; empty where the code could not be read."""

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.address.target}, where {self.service}:{self.entrypoint} listens,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How addresses are looked at; given, so that what is made of it can be tried without any."""

    look: Callable[[Address], Place]
    holder: Callable[[int], Holder | None]
    ask: Callable[[Listener], Awaitable[str]]
    """The word of health that a listener says, or the reason why it says none."""


def listeners(book: AddressBook, workers: Mapping[str, Worker]) -> list[Listener]:
    """Every entrypoint that has an address."""
    found = []
    for name, service in book.services.items():
        classes = workers[name].entrypoints if name in workers else {}
        for replica in service.replicas:
            for entrypoint in (DEFAULT_ENTRYPOINT, ADMIN_ENTRYPOINT):
                address = replica.entrypoint(entrypoint)
                if address is not None:
                    contract = service_of(classes[entrypoint]).name if entrypoint in classes else ""
                    found.append(Listener(name, entrypoint, address, contract))
            if replica.mesh is not None:
                # Every entrypoint answers there, and '' is the health of them all.
                found.append(Listener(name, MESH, replica.mesh, ""))
    return found


async def addresses(expected: Sequence[Listener], stand_ins: Sequence[StandIn], means: Means) -> list[Finding]:
    """What is wrong with the addresses of the services, and of the stand-ins in force."""
    places = [means.look(listener.address) for listener in expected]
    words = await asyncio.gather(*(_word(*each, means) for each in zip(expected, places, strict=True)))
    runs = SERVING in words
    findings = [
        finding
        for listener, place, word in zip(expected, places, words, strict=True)
        for finding in _judged(listener, place, word, means, runs=runs)
    ]
    findings += [finding for stand_in in stand_ins for finding in _stand_in(stand_in, means, runs=runs)]
    if runs:
        what = f"{words.count(SERVING)} of {len(expected)} entrypoints serve now."
        findings.append(note("running", what, "Nothing is to be done."))
    return findings


async def _word(listener: Listener, place: Place, means: Means) -> str:
    """What a listener says of its health; empty where nobody is there to ask."""
    return await means.ask(listener) if place in {Place.TAKEN, Place.ELSEWHERE} else ""


def _judged(listener: Listener, place: Place, word: str, means: Means, *, runs: bool) -> Iterator[Finding]:
    if word == SERVING:
        return
    match place:
        case Place.FREE if runs:
            what = f"{listener} is silent, while others of its deployment serve."
            yield error("health", what, "Look at the log for why it ended, and start it again.")
        case Place.FORBIDDEN:
            yield error("port", f"{listener} is not ours to listen on.", "Use a port above 1023, or another directory.")
        case Place.ELSEWHERE:
            what = f"{listener} is on another machine, and says {word}."
            yield warning("health", what, "Start it there, or correct its address.")
        case Place.TAKEN:
            yield _taken(listener, word, means)


def _taken(listener: Listener, word: str, means: Means) -> Finding:
    found = _holder(listener.address, means)
    by = "another process" if found is None else str(found)
    if word == "NOT_SERVING" or (found is not None and found.is_ours()):
        what = f"{listener} is held by {by}, whose health says {word}."
        return error("health", what, "`bookmesh health` tells what is not well; if it is silent too, start it again.")
    return error("port", f"{listener} is taken by {by}.", "End that, or give the service another address.")


def _stand_in(stand_in: StandIn, means: Means, *, runs: bool) -> Iterator[Finding]:
    if means.look(stand_in.address) is not Place.TAKEN:
        return
    found = _holder(stand_in.address, means)
    if runs and (found is None or found.program.endswith(stand_in.module)):
        return
    by = "another process" if found is None else str(found)
    what = f"{stand_in.address.target}, where the stand-in {stand_in.module} listens, is taken by {by}."
    yield error("port", what, "End that, or give the stand-in another address.")


def _holder(address: Address, means: Means) -> Holder | None:
    return means.holder(int(address.target.rpartition(":")[2])) if address.kind == "tcp" else None


_CHECK = service_of(health_pb2_grpc.HealthStub).methods["/grpc.health.v1.Health/Check"]


def security(tls: TlsSettings) -> Callable[[Listener], Security | None]:
    """How each listener is spoken to; in plain text where nothing is wanted, and where there is nothing to show."""

    def find(listener: Listener) -> Security | None:
        host = Identity(tls.trust_domain, "service", listener.service).host()
        try:
            if listener.entrypoint == MESH:
                return Security(Credentials(tls.certificates, OPERATOR), host)
            return Security(Trust(tls.certificates), host) if tls.people else None
        except ConfigurationError:
            # There is no certificate, so nothing of ours runs that would ask for one.
            return None

    return find


async def ask_health(listener: Listener, shown: Security | None = None) -> str:
    """What the health of an entrypoint says: SERVING, NOT_SERVING, or the reason of an error."""
    transport = AioTransport(listener.address.target, security=shown)
    request = health_pb2.HealthCheckRequest(service=listener.contract).SerializeToString()
    call = Call(_CHECK, Side.CLIENT, deadline=time.monotonic() + HEALTH_S, request=request)
    try:
        reply = as_message(_CHECK, await transport.connect(_CHECK)(call))
    except MeshError as failure:
        return failure.reason
    finally:
        await transport.aclose()
    if not isinstance(reply, HealthCheckResponse):
        return "UNKNOWN"
    return str(HealthCheckResponse.ServingStatus.Name(reply.status))
