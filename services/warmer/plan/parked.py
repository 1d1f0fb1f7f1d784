"""What jobs left undone of each library: the only module that keeps it, in LIBRARY_DATA.

parked/<library>   the searches that failed for a while, or that a cancelled job did not come to
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import zstandard

from mesh.stores.errors import StoreError
from mesh.stores.protocol import Bucket
from services.warmer import faults
from services.warmer.plan.searches import Search

_LARGEST = 2**31
_decoder = msgspec.msgpack.Decoder(list[Search])


class Parked:
    """Undone searches at rest.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        bucket: the store.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def of(self, library_id: str) -> Sequence[Search]:
        """What is undone of a library."""
        async with _store():
            found = await self._bucket.get(_key(library_id))
        return [] if found is None else _decoder.decode(zstandard.decompress(found.data, max_output_size=_LARGEST))

    async def keep(self, library_id: str, undone: Sequence[Search]) -> None:
        """Notes what is undone of a library by now."""
        async with _store():
            if undone:
                await self._bucket.put(_key(library_id), zstandard.compress(msgspec.msgpack.encode(undone)))
            else:
                await self._bucket.delete(_key(library_id))

    async def forget(self, library_id: str) -> None:
        """Takes away what is known of a library."""
        async with _store():
            await self._bucket.delete(_key(library_id))


def _key(library_id: str) -> str:
    return f"parked/{library_id}"


@asynccontextmanager
async def _store() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise faults.store_unavailable("LIBRARY_DATA") from error
