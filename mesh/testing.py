"""What tests of services are made of: an entrypoint behind its own stub, and a clock that is moved by hand."""

from collections.abc import Callable
from typing import Any, TypeVar

from mesh.call import Clock
from mesh.config.binding_settings import BindingSettings, RetrySettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.permissions import EVERYBODY
from mesh.config.props import NO_PROPS, Props
from mesh.contract import service_of
from mesh.hosting.dispatch import handlers_of
from mesh.layers import client_layers, server_layers
from mesh.runtime import Runtime
from mesh.transport.channel import BindingChannel
from mesh.transport.local import LocalTransport

Stub = TypeVar("Stub")


class FakeClock:
    """A clock that stands still until it is moved; use it wherever a `Clock` is asked for."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Moves it on."""
        self.now += seconds


def in_process(
    stub: type[Stub],
    entrypoint: object,
    *,
    binding: str = "TEST",
    clock: Clock | None = None,
    breaker: BreakerSettings | None = None,
    retry: RetrySettings | None = None,
    deadline_s: float = 10.0,
    props: Props = NO_PROPS,
) -> Stub:
    """A stub that calls an entrypoint object in process, with every layer on; what a binding in an Env is.

    Args:
        stub: the generated stub class.
        entrypoint: an object that serves the same contract.
        binding: the binding's name, as errors and stats tell it.
        clock: what the breaker goes by; a FakeClock by default.
        breaker: when the breaker opens; off by default, so that tests of failures see the failures.
        retry: how often a call is tried; once by default, for the same reason.
        deadline_s: seconds that a call gets when it brings no timeout.
        props: what the entrypoint is told of its caller, as the caller's manifest would say it.
    """
    # Each contract is a service of its own here, so that what is tested may call what is tested.
    service = service_of(stub).name
    handlers = handlers_of(entrypoint, server_layers(Runtime(service=service), door=EVERYBODY))
    channel: Any = BindingChannel(
        service=service_of(stub),
        caller="test",
        binding=binding,
        layers=client_layers(
            Runtime(service="test", clock=clock or FakeClock()),
            binding=binding,
            service=service,
            settings=BindingSettings(
                deadline_ms=round(deadline_s * 1000),
                breaker=breaker or BreakerSettings(enabled=False),
                retry=retry or RetrySettings(attempts=1),
            ),
        ),
        transport=LocalTransport(handlers, caller="test", service=service, props=props),
    )
    make: Callable[[Any], Stub] = stub
    return make(channel)
