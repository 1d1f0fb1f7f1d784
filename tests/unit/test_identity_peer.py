"""What a connection's certificate proves, as gRPC tells of it."""

import timeit
from collections.abc import Iterable, Mapping

import pytest

from mesh.identity.peer import identify_in
from mesh.transport.callers import NOBODY, Proof

BOOKS = b"spiffe://bookmesh.local/service/books"

IDENTIFY = identify_in("bookmesh.local")


class Connection:
    """Stands for gRPC's context: all that is asked of it is its auth context."""

    def __init__(self, known: Mapping[str, Iterable[bytes]]) -> None:
        self._known = known

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """As gRPC has it."""
        return self._known


def secured(*uris: bytes, **other: list[bytes]) -> Connection:
    """A connection with TLS, and a certificate with these URIs."""
    return Connection({"transport_security_type": [b"ssl"], "peer_uri": list(uris), **other})


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (BOOKS, Proof(service="books")),
        (b"spiffe://bookmesh.local/operator/ada", Proof(operator=True)),
        (b"spiffe://other.local/service/books", NOBODY),
        (b"spiffe://bookmesh.local/service/books/x", NOBODY),
        (b"https://bookmesh.local/service/books", NOBODY),
        (b"spiffe://bookmesh.local/service/\xff", NOBODY),
        (b"", NOBODY),
    ],
)
def test_one_uri(uri: bytes, expected: Proof) -> None:
    """One ID of our trust domain proves who it names; anything else proves nothing."""
    assert IDENTIFY(secured(uri)) == expected


@pytest.mark.parametrize("uris", [(), (BOOKS, BOOKS), (BOOKS, b"https://x"), (b"https://x", BOOKS)])
def test_no_uri_or_several(uris: tuple[bytes, ...]) -> None:
    """A certificate with two URIs is nobody's, even if only one of them is an ID."""
    assert IDENTIFY(secured(*uris)) == NOBODY


def test_other_names_are_no_ids() -> None:
    """A DNS name or a common name that is written like an ID proves nothing."""
    names = {key: [BOOKS] for key in ("x509_subject_alternative_name", "peer_dns", "x509_common_name")}
    assert IDENTIFY(secured(**names)) == NOBODY


@pytest.mark.parametrize("kind", [{}, {"transport_security_type": [b"insecure"]}, {"transport_security_type": []}])
def test_without_tls(kind: dict[str, list[bytes]]) -> None:
    """Without TLS nothing is proven, whatever is said."""
    assert IDENTIFY(Connection({"peer_uri": [BOOKS], **kind})) == NOBODY


def test_it_costs_next_to_nothing() -> None:
    """Reading who it is takes a few microseconds at most, beside what gRPC takes to tell of the certificate."""
    connection = secured(BOOKS)
    assert min(timeit.repeat(lambda: IDENTIFY(connection), number=2000, repeat=5)) / 2000 < 5e-6
