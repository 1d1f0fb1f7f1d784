import asyncio
import inspect
import socket
import ssl

import aiohttp.client_exceptions
import aiohttp.http_exceptions
import pytest

from mesh.status import UnavailableError
from services.books.providers.faults import Faults
from services.books.providers.http import foreign_errors

FAULTS = Faults("open_library", "Open Library")

_OF_AIOHTTP = [
    kind
    for module in (aiohttp.client_exceptions, aiohttp.http_exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    # The proxy opens no web socket, so that these can't come.
    if issubclass(kind, Exception) and not kind.__name__.startswith("WS")
]
_OF_PYTHON: list[type[Exception]] = [
    TimeoutError,
    asyncio.IncompleteReadError,
    BrokenPipeError,
    ConnectionResetError,
    OSError,
    UnicodeError,
    socket.gaierror,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
]


@pytest.mark.parametrize("kind", [*_OF_AIOHTTP, *_OF_PYTHON], ids=lambda kind: kind.__name__)
def test_no_foreign_error_is_unmapped(kind: type[Exception]) -> None:
    """Whatever aiohttp and the system under it can raise becomes UNAVAILABLE with one of three reasons."""
    with pytest.raises(UnavailableError) as caught, foreign_errors(FAULTS):
        raise kind.__new__(kind)
    assert caught.value.reason in {"PROVIDER_UNAVAILABLE", "PROVIDER_BAD_ANSWER", "PROVIDER_TIMEOUT"}
    assert caught.value.metadata["provider"] == "open_library"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (TimeoutError, "PROVIDER_TIMEOUT"),
        (aiohttp.ServerTimeoutError, "PROVIDER_TIMEOUT"),
        (aiohttp.ClientConnectorError, "PROVIDER_UNAVAILABLE"),
        (aiohttp.ServerDisconnectedError, "PROVIDER_UNAVAILABLE"),
        (aiohttp.ClientPayloadError, "PROVIDER_BAD_ANSWER"),
        (aiohttp.ClientResponseError, "PROVIDER_BAD_ANSWER"),
    ],
)
def test_reason(kind: type[Exception], reason: str) -> None:
    """What was too slow, not there and not readable are told apart."""
    with pytest.raises(UnavailableError, match=reason), foreign_errors(FAULTS):
        raise kind.__new__(kind)


def test_own_mistakes_are_not_hidden() -> None:
    """A mistake of ours is not called the provider's."""
    with pytest.raises(ZeroDivisionError), foreign_errors(FAULTS):
        raise ZeroDivisionError
