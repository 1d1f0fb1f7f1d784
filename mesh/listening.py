"""Opens the listeners of what runs here: which address serves whom, and how its callers prove who they are."""

from mesh.deployment import Deployment
from mesh.endpoint import Serving
from mesh.identity.operator_token import ensure_token
from mesh.props import props_for
from mesh.reflection import enable_reflection
from mesh.transport.aio import AioServer
from mesh.transport.callers import Callers


async def listen(deployment: Deployment, house: Serving) -> None:
    """Opens every listener of this process.

    Args:
        deployment: what was read and checked.
        house: what runs here; its `listeners` and its `token` are filled in.

    Raises:
        AddressInUseError: an address is taken.
        ConfigurationError: the operator's token is not safe.
    """
    token = house.token = ensure_token(deployment.data)
    manifests = [worker.manifest for worker in deployment.workers.values()]
    for (service, name), endpoint in house.endpoints.items():
        address = deployment.book.services[service].replicas[deployment.replica - 1].entrypoint(name)
        if address is None:
            continue
        callers = Callers(is_operators=token.matches, props_for=props_for(manifests, service, name))
        listener = AioServer(endpoint.handlers, address.target, callers)
        enable_reflection((endpoint.contract, "grpc.health.v1.Health"), listener.server)
        await listener.start()
        house.listeners[service, name] = listener
