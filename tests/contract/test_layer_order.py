"""The order of the layers is a promise: what is listed is what a call walks through."""

from mesh.config.binding_settings import BindingSettings
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.permissions import EVERYBODY
from mesh.layers import client_layers, server_layers
from mesh.runtime import Runtime


def name(layer: object) -> str:
    """The function that made a layer."""
    return str(getattr(layer, "__qualname__", "")).split(".")[0]


def test_server_order() -> None:
    """Around an entrypoint stand these, the first outermost."""
    layers = server_layers(Runtime(service="x"), settings=EntrypointSettings(rate_per_s=1), door=EVERYBODY)
    assert [name(layer) for layer in layers] == [
        "server_tracing",
        "server_accounting",
        "errors",
        "draining",
        "admission",
        "rating",
        "limiting",
        "decoding",
        "validating",
    ]


def test_client_order() -> None:
    """Around a call stand these, the first outermost."""
    layers = client_layers(
        Runtime(service="y"),
        binding="X",
        service="x",
        settings=BindingSettings(),
    )
    assert [name(layer) for layer in layers] == [
        "client_accounting",
        "client_tracing",
        "breaking",
        "retrying",
        "hedging",
        "client_deadline",
    ]
