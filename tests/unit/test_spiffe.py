"""SPIFFE IDs: what is one of ours, and what only looks so."""

import pytest

from mesh.identity.peer import identify_in
from mesh.identity.spiffe import Identity, is_trust_domain, parse_identity
from mesh.transport.callers import NOBODY, Proof

URI = "spiffe://bookmesh.local/service/books-api-proxy"


def test_there_and_back() -> None:
    """What is written is read as what it was."""
    for kind in ("service", "operator"):
        identity = Identity("books.example.org", kind, "books-api-proxy")
        assert parse_identity(identity.uri()) == identity


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://bookmesh.local",
        "spiffe://bookmesh.local/service/",
        "spiffe://bookmesh.local/service/a/b",
        "spiffe://bookmesh.local/admin/a",
        "spiffe://bookmesh.local/service/..",
        "spiffe://Bookmesh.local/service/a",
        "spiffe://bookmesh.local:1/service/a",
        "https://bookmesh.local/service/a",
        "spiffe://bookmesh.local/service/a?b",
        f"{URI}\n",
        f"spiffe://bookmesh.local/service/{'a' * 64}",
        f"spiffe://{'a' * 3000}/service/a",
    ],
)
def test_what_is_none(uri: str) -> None:
    """An ID of another shape proves nothing."""
    assert parse_identity(uri) is None


def test_trust_domains() -> None:
    """A trust domain is a lower-case name without port or path."""
    texts = ("a.b-c_1", "books.example.org", "", "A", "a/b", "a:1")
    assert [text for text in texts if is_trust_domain(text)] == ["a.b-c_1", "books.example.org"]


class Context:
    """As much of gRPC's context as tells of a connection."""

    def __init__(self, *names: str) -> None:
        self._names = [name.encode() for name in names]

    def auth_context(self) -> dict[str, list[bytes]]:
        """What TLS has verified; nothing of a connection in plain text."""
        return {"x509_subject_alternative_name": self._names} if self._names else {}


@pytest.mark.parametrize(
    ("names", "proof"),
    [
        ((), NOBODY),
        (("books-api-proxy.bookmesh.local",), NOBODY),
        ((URI,), Proof(service="books-api-proxy")),
        ((URI, "localhost"), Proof(service="books-api-proxy")),
        (("spiffe://bookmesh.local/operator/ann",), Proof(operator=True)),
        ((URI, "spiffe://bookmesh.local/operator/ann"), NOBODY),
        (("spiffe://elsewhere.example/service/books-api-proxy",), NOBODY),
        (("spiffe://bookmesh.local/service/..",), NOBODY),
    ],
)
def test_peers(names: tuple[str, ...], proof: Proof) -> None:
    """A peer is who its only SPIFFE ID says, if that is of our trust domain, and nobody otherwise."""
    assert identify_in("bookmesh.local")(Context(*names)) == proof
