"""The layers, in their order: the two lists that every call of the mesh walks through, outermost first.

The same lists stand around a call in process and over the wire. A contract test holds them to what is written here.
"""

from collections.abc import Sequence

from mesh.call import Layer
from mesh.config.binding_settings import BindingSettings
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.config.permissions import Door
from mesh.layers.accounting import client_accounting, server_accounting
from mesh.layers.admission import admission
from mesh.layers.breaking import breaking
from mesh.layers.deadline import client_deadline
from mesh.layers.decoding import decoding
from mesh.layers.draining import draining
from mesh.layers.errors import errors
from mesh.layers.hedging import hedging
from mesh.layers.limiting import limiting, rating
from mesh.layers.retrying import retrying
from mesh.layers.tracing import client_tracing, server_tracing
from mesh.layers.validating import validating
from mesh.retry_budget import RetryBudget
from mesh.runtime import Runtime

_DEFAULTS = EntrypointSettings()


def server_layers(
    runtime: Runtime,
    entrypoint: str = DEFAULT_ENTRYPOINT,
    settings: EntrypointSettings = _DEFAULTS,
    *,
    door: Door,
) -> Sequence[Layer]:
    """What stands around an entrypoint of a service.

    Args:
        runtime: the service's.
        entrypoint: the entrypoint's name.
        settings: how much it takes on.
        door: who may call it.
    """
    return (
        server_tracing(runtime.service),  # outermost: whatever happens below has an id
        server_accounting(runtime, entrypoint),  # sees the final status, and what the layers below refuse, too
        errors(runtime.service),  # below it exceptions are foreign, above it each has its status
        draining(runtime),  # what it refuses or cuts off is counted, too
        admission(runtime.service, entrypoint, door),  # who may not call learns nothing else
        rating(runtime, settings),  # a caller that asks too much never gets to the places of others
        limiting(runtime, settings),  # what is turned away has cost next to nothing
        decoding(),  # what comes is only read once the call may run
        validating(),  # innermost: only what can be read can be checked, and an entrypoint sees nothing else
    )


def client_layers(
    runtime: Runtime, *, binding: str, service: str, settings: BindingSettings, entrypoint: str = "Default"
) -> Sequence[Layer]:
    """What stands around every call of a service through one binding.

    Args:
        runtime: the calling service's.
        binding: the binding's name.
        service: the service that is called.
        settings: how the binding behaves.
        entrypoint: the entrypoint that is called.
    """
    budget = RetryBudget(settings.retry.budget, settings.retry.least, runtime.clock)
    return (
        client_accounting(runtime, binding, service, entrypoint),  # outermost: one account of each call
        client_tracing(runtime.service, service),  # an id before anything else, and no call in a circle
        breaking(runtime, binding, settings),  # refuses before anything is spent
        retrying(runtime, settings, budget),  # below the breaker, which judges calls and not attempts
        hedging(settings, budget),  # a second attempt is one of those that retrying counts
        client_deadline(settings),  # innermost: each attempt gets the time that is left now
    )
