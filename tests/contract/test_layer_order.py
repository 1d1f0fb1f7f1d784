"""The order of the layers is a promise: what is listed is what a call walks through."""

import time

from mesh.breaker_settings import BreakerSettings
from mesh.layers import client_layers, server_layers
from mesh.layers.breaking import Breakers
from mesh.stats import Stats


def name(layer: object) -> str:
    """The function that made a layer."""
    return str(getattr(layer, "__qualname__", "")).split(".")[0]


def test_server_order() -> None:
    """Around an entrypoint stand timing, errors, draining, deadline and decoding, in this order."""
    layers = server_layers(service="x", stats=Stats())
    assert [name(layer) for layer in layers] == ["server_timing", "errors", "draining", "server_deadline", "decoding"]


def test_client_order() -> None:
    """Around a call stand timing, breaking and deadline, in this order."""
    layers = client_layers(
        binding="X",
        service="x",
        stats=Stats(),
        breakers=Breakers(),
        breaker=BreakerSettings(),
        default_s=1,
        clock=time.monotonic,
    )
    assert [name(layer) for layer in layers] == ["client_timing", "breaking", "client_deadline"]
