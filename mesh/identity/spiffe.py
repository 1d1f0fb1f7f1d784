"""SPIFFE IDs: how a certificate names a service or an operator; the only place that writes and reads them."""

import re
from typing import Literal, NamedTuple

TRUST_DOMAIN = "bookmesh.local"
"""The trust domain where an address book names none."""

_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")

_ID = re.compile(r"spiffe://(?P<domain>[a-z0-9._-]{1,255})/(?P<kind>service|operator)/(?P<name>[A-Za-z0-9._-]{1,63})")

_ID_LIMIT = 2048
"""Bytes that an ID may have (SPIFFE-ID, section 2.3)."""


class Identity(NamedTuple):
    """Who a certificate is for."""

    trust_domain: str
    """Whose word it is: a name, like that of a DNS zone."""
    kind: Literal["service", "operator"]
    """A service of the mesh, or a person who may call everything."""
    name: str
    """The `name` of a manifest, or what an operator is called."""

    def uri(self) -> str:
        """The ID: "spiffe://bookmesh.local/service/books-api-proxy" (SPIFFE-ID, section 2)."""
        return f"spiffe://{self.trust_domain}/{self.kind}/{self.name}"

    def host(self) -> str:
        """What the certificate calls itself where TLS compares names: "books-api-proxy.bookmesh.local" (RFC 9525)."""
        return f"{self.name}.{self.trust_domain}"


def is_trust_domain(text: str) -> bool:
    """Whether a text can be a trust domain (SPIFFE-ID, section 2.1)."""
    return _DOMAIN.fullmatch(text) is not None


def parse_identity(uri: str) -> Identity | None:
    """Reads an ID; None for what is none, or is one of another kind."""
    found = _ID.fullmatch(uri) if len(uri) <= _ID_LIMIT else None
    if found is None or found["name"] in {".", ".."}:
        return None
    return Identity(found["domain"], "service" if found["kind"] == "service" else "operator", found["name"])
