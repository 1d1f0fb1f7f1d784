"""Builds one service: binds its Env, begins its lifespan, and stands the layers around its entrypoints."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.audit_log import AuditLog
from mesh.call import Call, Side
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.manifest import ServiceBinding
from mesh.config.permissions import EVERYBODY, Door
from mesh.config.problems import ConfigurationError
from mesh.config.topology import unreachable
from mesh.contract import service_of
from mesh.hosting.bindings import Openers, bind, find_secret
from mesh.hosting.deployment import Deployment
from mesh.hosting.dispatch import handlers_of
from mesh.hosting.endpoint import Endpoint, Serving
from mesh.hosting.health import SERVING, Health
from mesh.hosting.worker import Worker
from mesh.identity.credentials import Credentials
from mesh.identity.spiffe import Identity
from mesh.introspection import PING_S, Introspection, Probe, SecretState
from mesh.layers import client_layers, server_layers
from mesh.quota.ledger import Ledger
from mesh.runtime import Runtime
from mesh.status import UnavailableError
from mesh.stores.open import open_bucket, open_kv
from mesh.stores.protocol import Bucket, Kv
from mesh.transport.aio import AioTransport, Security
from mesh.transport.calls import as_message
from mesh.transport.channel import BindingChannel, Transport
from mesh.transport.local import LocalTransport
from mesh.transport.spread import reach

_CHECK = service_of(health_pb2_grpc.HealthStub).methods["/grpc.health.v1.Health/Check"]


def _health_ping(transport: Transport) -> Callable[[], Awaitable[None]]:
    """Asks the callee's own health over the way that its binding goes, past the layers: a probe is no call."""
    check = transport.connect(_CHECK)

    async def ping() -> None:
        reply = await check(Call(_CHECK, Side.CLIENT, deadline=time.monotonic() + PING_S))
        if as_message(_CHECK, reply) != HealthCheckResponse(status=SERVING):
            raise UnavailableError(ERROR_REASON_DRAINING, "the callee is not serving")

    return ping


class Building:
    """One service being built: its Env, its state and its entrypoints."""

    def __init__(
        self,
        deployment: Deployment,
        house: Serving,
        worker: Worker,
        closing: AsyncExitStack,
        audit: AuditLog,
        ledger: Ledger,
    ) -> None:
        self._ledger = ledger
        self._deployment = deployment
        self._house = house
        self._worker = worker
        self._manifest = worker.manifest
        self._closing = closing
        self._runtime = Runtime(service=worker.manifest.name, turns=house.turns)
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
            turns=self._runtime.turns,
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
            ledger=self._ledger,
            crons=self._manifest.crons,
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
        book = self._deployment.book
        problems = [*unreachable((self._manifest,), book, (self._manifest.name,))]
        if problems:
            raise ConfigurationError(problems)
        security = Security(
            Credentials(book.tls.certificates, self._manifest.name),
            Identity(book.tls.trust_domain, "service", entry.service).host(),
        )
        return reach(
            [address.target for address in book.services[entry.service].mesh_addresses()],
            lambda target: AioTransport(target.uri, balanced=target.balanced, security=security),
        )

    def _probe_stores(self, env: object) -> None:
        for kv in self._manifest.kv_namespaces:
            self._probes.append(Probe(binding=kv.binding, kind="kv", ping=getattr(env, kv.binding).ping))
        for bucket in self._manifest.r2_buckets:
            self._probes.append(Probe(binding=bucket.binding, kind="bucket", ping=getattr(env, bucket.binding).ping))
