"""What runs in this process: the entrypoints of its services, their listeners, and the ways into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.call import Handler
from mesh.contract import Method
from mesh.entrance import Entrance
from mesh.hosting.health import Health
from mesh.identity.operator_token import OperatorToken
from mesh.transport.aio_server import AioServer
from mesh.turns import Turns

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
    turns: Turns = field(default_factory=Turns)
    """Who works next, of those that nobody waits for."""
    token: OperatorToken | None = None
    """The operator's, once something listens."""

    def address(self, service: str, entrypoint: str = "Default") -> str:
        """Where an entrypoint listens."""
        return self.listeners[service, entrypoint].address
