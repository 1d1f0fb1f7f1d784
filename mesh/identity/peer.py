"""Who a peer has proven to be: the only reader of what gRPC knows of a connection's certificate."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from mesh.identity.spiffe import parse_identity
from mesh.transport.callers import NOBODY, Proof

_URIS = "peer_uri"
"""Where gRPC keeps the URIs of a certificate apart from its other names, which could be written like one."""

_SECURITY = "transport_security_type"


def identify_in(trust_domain: str) -> Callable[[Any], Proof]:
    """Reads the SPIFFE ID of a peer whose certificate TLS has verified.

    Args:
        trust_domain: whose certificates count; one of another domain proves nothing here.

    Returns:
        From gRPC's context to what is proven. Nothing is, where a certificate has no ID, or another URI beside it
        (X.509-SVID, section 2).
    """

    @lru_cache(maxsize=256)
    def read(security: tuple[bytes, ...], uris: tuple[bytes, ...]) -> Proof:
        if security != (b"ssl",):
            return NOBODY
        found = parse_identity(uris[0].decode(errors="replace")) if len(uris) == 1 else None
        if found is None or found.trust_domain != trust_domain:
            return NOBODY
        return Proof(service=found.name) if found.kind == "service" else Proof(operator=True)

    def identify(context: Any) -> Proof:
        known: Mapping[str, Iterable[bytes]] = context.auth_context()
        return read(tuple(known.get(_SECURITY, ())), tuple(known.get(_URIS, ())))

    return identify
