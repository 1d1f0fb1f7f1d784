"""One firing of a trigger, and the last hundred of each at rest."""

from collections.abc import Mapping

import msgspec

from mesh.stores.protocol import Kv

KEPT = 100
"""Firings that are remembered of each trigger."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One firing. Times are seconds since the epoch, of the clock of whoever fired."""

    due: float
    """The instant that it was due; when it was asked for, for one that was fired by hand."""
    start: float
    """When it began."""
    end: float | None = None
    """When it ended; None while it runs, and for good where its process died."""
    outcome: str = ""
    """A sentence on what it did."""
    reason: str = ""
    """A word of ErrorReason when it failed."""
    forced: bool = False
    """Somebody fired it by hand."""
    made_up: bool = False
    """It was missed while no process was there, or was cut off, and made up for later."""


_decoder = msgspec.json.Decoder(list[Firing])


class History:
    """What became of the last firings of each trigger. Whoever holds the trigger's lease writes, and nobody else.

    Every method raises StoreError when the store does not answer.

    Args:
        kv: the store.
        prefix: what its keys begin with.
    """

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._prefix = prefix

    async def firings(self, cron: str) -> list[Firing]:
        """The last firings, newest first."""
        data = await self._kv.get(self._key(cron))
        return [] if data is None else _decoder.decode(data)

    async def add(self, cron: str, firing: Firing, beside: Mapping[str, bytes]) -> None:
        """Notes a firing that begins, and other values in the same step."""
        firings = [firing, *await self.firings(cron)]
        await self._kv.put_many({**beside, self._key(cron): msgspec.json.encode(firings[:KEPT])})

    async def end(self, cron: str, begun: Firing, ended: Firing) -> None:
        """Notes how a firing ended."""
        found = await self.firings(cron)
        firings = [ended if each == begun else each for each in found]
        await self._kv.put(self._key(cron), msgspec.json.encode(firings))

    def _key(self, cron: str) -> str:
        return f"{self._prefix}history:{cron}"
