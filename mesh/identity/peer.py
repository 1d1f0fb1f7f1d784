"""Who a peer has proven to be: the only reader of what gRPC knows of a connection's certificate."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from mesh.identity.spiffe import parse_identity
from mesh.transport.callers import NOBODY, Proof

_SAN = "x509_subject_alternative_name"
_SCHEME = b"spiffe://"


def identify_in(trust_domain: str) -> Callable[[Any], Proof]:
    """Reads the SPIFFE ID of a peer whose certificate TLS has verified.

    Args:
        trust_domain: whose certificates count; one of another domain proves nothing here.

    Returns:
        From gRPC's context to what is proven. Nothing is, where a certificate has no ID, or more than one (X.509-SVID,
        section 5.2).
    """

    @lru_cache(maxsize=256)
    def read(names: tuple[bytes, ...]) -> Proof:
        uris = [name for name in names if name.startswith(_SCHEME)]
        found = parse_identity(uris[0].decode(errors="replace")) if len(uris) == 1 else None
        if found is None or found.trust_domain != trust_domain:
            return NOBODY
        return Proof(service=found.name) if found.kind == "service" else Proof(operator=True)

    def identify(context: Any) -> Proof:
        known: Mapping[str, Iterable[bytes]] = context.auth_context()
        return read(tuple(known.get(_SAN, ())))

    return identify
