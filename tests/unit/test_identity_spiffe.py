"""SPIFFE IDs: what is one of ours, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.wrangler import SERVICE_NAME
from mesh.identity.spiffe import Identity, is_trust_domain, parse_identity

DOMAIN = "bookmesh.local"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("spiffe://bookmesh.local/service/books", Identity(DOMAIN, "service", "books")),
        ("spiffe://bookmesh.local/operator/Ada", Identity(DOMAIN, "operator", "Ada")),
        ("spiffe://a_b-1/service/_x", Identity("a_b-1", "service", "_x")),
        (f"spiffe://{'d' * 255}/service/{'n' * 63}", Identity("d" * 255, "service", "n" * 63)),
    ],
)
def test_what_is_one(uri: str, expected: Identity) -> None:
    """An ID of a service or an operator is read, and written as it was."""
    assert (parse_identity(uri), expected.uri()) == (expected, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://bookmesh.local",
        "spiffe://bookmesh.local/",
        "spiffe://bookmesh.local/service",
        "spiffe://bookmesh.local/service/",
        "spiffe://bookmesh.local/service/books/",
        "spiffe://bookmesh.local/service/books/x",
        "spiffe://bookmesh.local//service/books",
        "spiffe://bookmesh.local/service/.",
        "spiffe://bookmesh.local/service/..",
        "spiffe://bookmesh.local/service/b%6fks",
        "spiffe://bookmesh.local/service/books?x",
        "spiffe://bookmesh.local/service/books#x",
        "spiffe://bookmesh.local/service/books\n",
        "spiffe://bookmesh.local/service/bücher",
        "spiffe://bookmesh.local/Service/books",
        "spiffe://bookmesh.local/caller/books",
        "spiffe://bookmesh.local:443/service/books",
        "spiffe://me@bookmesh.local/service/books",
        "spiffe://BOOKMESH.local/service/books",
        "spiffe:///service/books",
        "SPIFFE://bookmesh.local/service/books",
        "https://bookmesh.local/service/books",
        " spiffe://bookmesh.local/service/books",
        f"spiffe://{'d' * 256}/service/books",
        f"spiffe://bookmesh.local/service/{'n' * 64}",
        f"spiffe://bookmesh.local/service/{'n' * 3000}",
    ],
)
def test_what_is_none(uri: str) -> None:
    """Whatever is not exactly an ID of ours is none: nothing is repaired, decoded or cut off."""
    assert parse_identity(uri) is None


@given(name=st.from_regex(SERVICE_NAME, fullmatch=True))
def test_every_service_can_have_one(name: str) -> None:
    """Whatever a manifest may call a service, its ID names it and nobody else."""
    identity = Identity(DOMAIN, "service", name)
    assert (parse_identity(identity.uri()), identity.host()) == (identity, f"{name}.bookmesh.local")


@given(text=st.text() | st.text("spiffe:/bookmesh.localservice").map("spiffe://bookmesh.local/service/".__add__))
def test_any_text(text: str) -> None:
    """What is read of any text writes that very text."""
    found = parse_identity(text)
    assert found is None or found.uri() == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("books.example.org", True), ("a", True), ("", False), ("A", False), ("a/b", False), ("a:1", False), ("ä", False)],
)
def test_trust_domain(text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """A trust domain has the characters that SPIFFE allows."""
    assert is_trust_domain(text) is expected
