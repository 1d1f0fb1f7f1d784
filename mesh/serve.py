"""Runs services in this process: bind, build, listen, SERVING, then on a signal NOT_SERVING, drain, close."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.audit_log import AuditLog, auditing
from mesh.bindings import Openers, bind, find_secret
from mesh.call import Call, Handler, Side
from mesh.contract import Method, service_of
from mesh.deployment import Deployment
from mesh.dispatch import handlers_of
from mesh.drain import drain
from mesh.entrance import Entrance
from mesh.entrypoint_settings import EntrypointSettings
from mesh.health import SERVING, Health
from mesh.introspection import PING_S, Introspection, Probe, SecretState
from mesh.layers import client_layers, server_layers
from mesh.manifest import ServiceBinding
from mesh.permissions import EVERYBODY, Door
from mesh.props import props_for
from mesh.reflection import enable_reflection
from mesh.runtime import Runtime
from mesh.status import UnavailableError
from mesh.stores.open import open_bucket, open_kv
from mesh.stores.protocol import Bucket, Kv
from mesh.transport.aio import AioServer, AioTransport
from mesh.transport.callers import Callers
from mesh.transport.calls import as_message
from mesh.transport.channel import BindingChannel, Transport
from mesh.transport.local import LocalTransport
from mesh.transport.spread import reach
from mesh.worker import Worker

_log = structlog.get_logger("mesh.serve")

Handlers = Mapping[str, tuple[Method, Handler]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One entrypoint of a service that runs here."""

    service: str
    """The service's name."""
    entrypoint: str
    """Its entrypoint: "Default", "Admin"."""
    contract: str
    """The full name of the proto service that it serves."""
    handlers: Handlers
    """Its methods, and those of its health."""
    health: Health
    """What it says of itself."""


@dataclass(slots=True)
class Serving:
    """Services that run in this process."""

    endpoints: dict[tuple[str, str], Endpoint] = field(default_factory=dict)
    """Every entrypoint, by service and name."""
    listeners: dict[tuple[str, str], AioServer] = field(default_factory=dict)
    """Every listener, by service and entrypoint."""
    entrances: dict[str, Entrance] = field(default_factory=dict)
    """The way into every service, by name."""

    def address(self, service: str, entrypoint: str = "Default") -> str:
        """Where an entrypoint listens."""
        return self.listeners[service, entrypoint].address


@asynccontextmanager
async def serving(deployment: Deployment, only: Collection[str] | None = None) -> AsyncIterator[Serving]:
    """Runs services until the block ends, then drains them.

    Args:
        deployment: what was read and checked.
        only: the services to run here; all of the deployment when None. Bindings to the others go over the wire.

    Raises:
        AddressInUseError: a listener's address is taken; nothing is left running.
    """
    house = Serving()
    async with AsyncExitStack() as closing:
        name = "mesh" if only is None else "+".join(sorted(only))
        audit = await closing.enter_async_context(auditing(deployment.book.data / "audit" / f"{name}.jsonl"))
        for worker in deployment.start_order():
            if only is None or worker.manifest.name in only:
                await _Building(deployment, house, worker, closing, audit).build()
        try:
            await _listen(deployment, house)
            for endpoint in house.endpoints.values():
                endpoint.health.set_all(SERVING)
            yield house
        finally:
            healths = [endpoint.health for endpoint in house.endpoints.values()]
            await drain(deployment.book.drain, healths, house.entrances.values(), house.listeners.values())


async def serve(deployment: Deployment, only: Collection[str] | None = None) -> None:
    """Runs services until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with serving(deployment, only) as house:
        for (service, entrypoint), listener in house.listeners.items():
            _log.info("listening", service=service, entrypoint=entrypoint, address=listener.address)
        await stop.wait()
        _log.info("draining", services=sorted({service for service, _ in house.endpoints}))
    _log.info("stopped")


async def _listen(deployment: Deployment, house: Serving) -> None:
    for (service, name), endpoint in house.endpoints.items():
        address = deployment.book.services[service].replicas[deployment.replica - 1].entrypoint(name)
        if address is None:
            continue
        manifests = (worker.manifest for worker in deployment.workers.values())
        # Nobody proves anything in plain text, so props are for calls in process until `identify` is given.
        callers = Callers(props_for=props_for(manifests, service, name))
        listener = AioServer(endpoint.handlers, address.target, callers)
        enable_reflection((endpoint.contract, "grpc.health.v1.Health"), listener.server)
        await listener.start()
        house.listeners[service, name] = listener


_CHECK = service_of(health_pb2_grpc.HealthStub).methods["/grpc.health.v1.Health/Check"]


def _health_ping(transport: Transport) -> Callable[[], Awaitable[None]]:
    """Asks the callee's own health over the way that its binding goes, past the layers: a probe is no call."""
    check = transport.connect(_CHECK)

    async def ping() -> None:
        reply = await check(Call(_CHECK, Side.CLIENT, deadline=time.monotonic() + PING_S))
        if as_message(_CHECK, reply) != HealthCheckResponse(status=SERVING):
            raise UnavailableError(ERROR_REASON_DRAINING, "the callee is not serving")

    return ping


class _Building:
    """One service being built: its Env, its state and its entrypoints."""

    def __init__(
        self, deployment: Deployment, house: Serving, worker: Worker, closing: AsyncExitStack, audit: AuditLog
    ) -> None:
        self._deployment = deployment
        self._house = house
        self._worker = worker
        self._manifest = worker.manifest
        self._closing = closing
        self._runtime = Runtime(service=worker.manifest.name)
        self._runtime.journal.forward(audit.take)
        self._probes: list[Probe] = []

    async def build(self) -> None:
        """Binds, enters the lifespan, and makes each entrypoint known to those that bind to it."""
        env = await bind(self._worker, self._openers(), self._introspection(), self._closing)
        self._probe_stores(env)
        state: object = None
        if self._worker.lifespan is not None:
            state = await self._closing.enter_async_context(self._worker.lifespan(env))
        self._house.entrances[self._manifest.name] = self._runtime.entrance
        for name, cls in self._worker.entrypoints.items():
            contract = service_of(cls).name
            health = Health((contract,), self._runtime.vitals)
            entrypoint = self._worker.entrypoint(env, state, name)
            # Health is asked too often to be counted among a service's calls.
            # Whether a service is well is no secret to whoever can reach it.
            unseen = server_layers(Runtime(service=self._manifest.name), door=EVERYBODY)
            settings = self._manifest.entrypoint_settings.get(name, EntrypointSettings())
            door = self._deployment.doors().get((self._manifest.name, name), Door())
            layers = server_layers(self._runtime, name, settings, door=door)
            handlers = {**handlers_of(entrypoint, layers), **handlers_of(health, unseen)}
            self._house.endpoints[self._manifest.name, name] = Endpoint(
                self._manifest.name, name, contract, handlers, health
            )

    def _introspection(self) -> Introspection:
        deployment = self._deployment
        return Introspection(
            worker=self._manifest.name,
            stats=self._runtime.stats,
            breakers=self._runtime.breakers,
            journal=self._runtime.journal,
            vitals=self._runtime.vitals,
            probes=self._probes,
            secrets=[
                SecretState(
                    binding=secret.binding,
                    present=find_secret(secret, deployment.secrets) is not None,
                    stand_in=any(stand_in.secret_name == secret.secret_name for stand_in in deployment.stand_ins),
                )
                for secret in self._manifest.secrets
            ],
            started_at=time.time(),
        )

    def _openers(self) -> Openers:
        deployment = self._deployment

        async def kv(identity: str) -> Kv:
            return await open_kv(deployment.kv_url(identity), identity)

        async def bucket(name: str) -> Bucket:
            return await open_bucket(deployment.bucket_url(name), name)

        return Openers(
            connect=self._connect,
            open_kv=kv,
            open_bucket=bucket,
            secrets=deployment.secrets,
            variables=deployment.variables,
        )

    def _connect(self, entry: ServiceBinding) -> BindingChannel:
        transport = self._transport(entry)
        settings = self._manifest.binding_settings[entry.binding]
        target = self._deployment.workers[entry.service]
        self._probes.append(
            Probe(
                binding=entry.binding,
                kind="service",
                ping=_health_ping(transport),
                service=entry.service,
                entrypoint=entry.entrypoint,
                transport=transport.kind,
            )
        )
        return BindingChannel(
            service=service_of(target.entrypoints[entry.entrypoint]),
            caller=self._manifest.name,
            binding=entry.binding,
            layers=client_layers(
                self._runtime,
                binding=entry.binding,
                service=entry.service,
                entrypoint=entry.entrypoint,
                settings=settings,
            ),
            transport=transport,
        )

    def _transport(self, entry: ServiceBinding) -> Transport:
        endpoint = self._house.endpoints.get((entry.service, entry.entrypoint))
        if endpoint is not None:
            caller = self._manifest.name
            return LocalTransport(endpoint.handlers, caller=caller, service=entry.service, props=entry.props)
        addresses = self._deployment.book.services[entry.service].addresses(entry.entrypoint)
        if not addresses:
            raise ValueError(f"{entry.service} has no address for {entry.entrypoint}")
        return reach(
            [address.target for address in addresses],
            lambda target: AioTransport(target.uri, balanced=target.balanced),
        )

    def _probe_stores(self, env: object) -> None:
        for kv in self._manifest.kv_namespaces:
            self._probes.append(Probe(binding=kv.binding, kind="kv", ping=getattr(env, kv.binding).ping))
        for bucket in self._manifest.r2_buckets:
            self._probes.append(Probe(binding=bucket.binding, kind="bucket", ping=getattr(env, bucket.binding).ping))
