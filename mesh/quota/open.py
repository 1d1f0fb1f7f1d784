"""From the ledger's URL in the address book to a ledger; opening does not fail for a server that is down."""

from mesh.quota.ledger import Ledger, LocalLedger
from mesh.quota.shared_ledger import SharedLedger
from mesh.stores.open import open_kv

LEDGER = "ledger"
"""The namespace of the counts, which keeps them apart from other keys on the same server."""


async def open_ledger(url: str) -> Ledger:
    """The ledger of a process.

    Args:
        url: where all processes count; empty, or a store in memory, where each counts for itself.

    Raises:
        ValueError: no adapter knows the URL's scheme.
    """
    local = LocalLedger()
    if not url:
        return local
    kv = await open_kv(url, LEDGER)
    if kv.raw is None:
        return local
    shared = SharedLedger(kv, local)
    await shared.connect()
    return shared
