"""Opens the listeners of what runs here: which address serves whom, and how its callers prove who they are.

People come to the addresses of their own, in plain text on loopback or with TLS, and prove nothing but an operator's
token. Services and operators with a certificate come to the address `mesh`, where every entrypoint answers.
"""

from mesh.config.book_entries import Replica
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.config.props import PropsFor, props_for
from mesh.hosting.deployment import Deployment
from mesh.hosting.endpoint import Endpoint, Serving
from mesh.hosting.reflection import enable_reflection
from mesh.identity.credentials import Credentials
from mesh.identity.operator_token import OperatorToken, ensure_token
from mesh.identity.peer import identify_in
from mesh.transport.aio_server import AioServer
from mesh.transport.callers import Callers

MESH = "mesh"
"""Among the listeners of a service, the one for other services."""


async def listen(deployment: Deployment, house: Serving) -> None:
    """Opens every listener of this process.

    Args:
        deployment: what was read and checked.
        house: what runs here; its `listeners` and its `token` are filled in.

    Raises:
        AddressInUseError: an address is taken.
        ConfigurationError: the operator's token is not safe, or a certificate can't be used.
    """
    token = house.token = ensure_token(deployment.data)
    for service in dict.fromkeys(service for service, _ in house.endpoints):
        endpoints = [endpoint for endpoint in house.endpoints.values() if endpoint.service == service]
        replica = deployment.book.services[service].replicas[deployment.replica - 1]
        for name, listener in _listeners(deployment, replica, endpoints, token):
            await listener.start()
            house.listeners[service, name] = listener


def _listeners(
    deployment: Deployment, replica: Replica, endpoints: list[Endpoint], token: OperatorToken
) -> list[tuple[str, AioServer]]:
    tls, service = deployment.book.tls, endpoints[0].service
    needed = tls.people or replica.mesh is not None
    credentials = Credentials(tls.certificates, service) if needed else None
    found = []
    for endpoint in endpoints:
        address = replica.entrypoint(endpoint.entrypoint)
        if address is not None:
            shown = credentials.server(ask=False) if tls.people and credentials is not None else None
            callers = Callers(is_operators=token.matches, props_for=_props(deployment, endpoint))
            listener = AioServer(endpoint.handlers, address.target, callers, shown)
            enable_reflection((endpoint.contract, "grpc.health.v1.Health"), listener.server)
            found.append((endpoint.entrypoint, listener))
    if replica.mesh is not None and credentials is not None:
        found.append((MESH, _mesh(deployment, replica.mesh.target, endpoints, credentials)))
    return found


def _mesh(deployment: Deployment, address: str, endpoints: list[Endpoint], credentials: Credentials) -> AioServer:
    identify = identify_in(deployment.book.tls.trust_domain)
    # The Default's goes first, for each brings its health, and of those with the same path the first are served.
    first, *others = sorted(endpoints, key=lambda endpoint: endpoint.entrypoint != DEFAULT_ENTRYPOINT)
    callers = Callers(identify=identify, props_for=_props(deployment, first))
    listener = AioServer(first.handlers, address, callers, credentials.server(ask=True))
    for endpoint in others:
        listener.add(endpoint.handlers, Callers(identify=identify, props_for=_props(deployment, endpoint)))
    contracts = [endpoint.contract for endpoint in (first, *others)]
    enable_reflection((*contracts, "grpc.health.v1.Health"), listener.server)
    return listener


def _props(deployment: Deployment, endpoint: Endpoint) -> PropsFor:
    manifests = (worker.manifest for worker in deployment.workers.values())
    return props_for(manifests, endpoint.service, endpoint.entrypoint)
