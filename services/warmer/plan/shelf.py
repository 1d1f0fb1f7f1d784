"""The only module that reads and writes plans in LIBRARY_DATA, whole blocks of batches at a time.

plans/<plan>/<block>   the searches of BLOCK batches
plans/<plan>/head      how many there are; written last, so a plan without it is none

A plan is a function of its library and its strategy, so whoever writes one that is there already writes the same.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import zstandard
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL

from mesh.status import DataLossError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Bucket
from services.warmer import faults
from services.warmer.plan.making import PlanMaker
from services.warmer.plan.searches import Search

BLOCK = 64
"""Batches in one object: few enough to read for one batch, many enough that a million rows are no million objects."""

_HELD = 8
"""Blocks that are kept in memory, packed but for their outermost layer: as objects each would take some six megabytes.
The batches of one block are taken one after the other."""

_LARGEST = 64 * 1024 * 1024
"""Bytes of a block unpacked, far beyond any that is written here."""


class PlanHead(msgspec.Struct, frozen=True, kw_only=True):
    """How much a plan is."""

    batches: int
    searches: int
    isbns: int
    authors: int
    titles: int
    covered: int
    skipped: int


_Block = Sequence[msgspec.Raw]
"""Its batches, each packed."""

_blocks = msgspec.msgpack.Decoder(list[msgspec.Raw])
_batches = msgspec.msgpack.Decoder(list[Search])
_heads = msgspec.json.Decoder(PlanHead)


class PlanShelf:
    """Plans at rest.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        bucket: the store.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._held: OrderedDict[str, _Block] = OrderedDict()

    async def head(self, plan_id: str) -> PlanHead | None:
        """How much a plan is; None when there is none."""
        async with _store():
            found = await self._bucket.get(_head(plan_id))
        return None if found is None else _heads.decode(found.data)

    async def keep(self, plan_id: str, maker: PlanMaker) -> PlanHead:
        """Stores a plan; packing it holds the processor for long, so that is done beside the loop."""
        blocks, count = _packed(maker), 0
        async with _store():
            while (block := await asyncio.to_thread(next, blocks, None)) is not None:
                data, batches = block
                await self._bucket.put(_block(plan_id, count // BLOCK), data)
                count += batches
            head = PlanHead(
                batches=count,
                searches=maker.searches,
                isbns=maker.isbns,
                authors=maker.authors,
                titles=maker.titles,
                covered=maker.covered,
                skipped=maker.skipped,
            )
            await self._bucket.put(_head(plan_id), msgspec.json.encode(head))
        return head

    async def batch(self, plan_id: str, number: int) -> Sequence[Search]:
        """The searches of a batch.

        Raises:
            DataLossError: INTERNAL; the plan is gone.
        """
        block = await self._opened(_block(plan_id, number // BLOCK))
        if number % BLOCK >= len(block):
            raise _lost()
        return _batches.decode(block[number % BLOCK])

    async def batches(self, plan_id: str, numbers: range) -> AsyncIterator[tuple[int, Sequence[Search]]]:
        """Some batches after the other, each with its number.

        Raises:
            DataLossError: INTERNAL; the plan is gone.
        """
        for number in numbers:
            yield number, await self.batch(plan_id, number)

    async def forget(self, plan_id: str) -> None:
        """Takes a plan away."""
        async with _store():
            await self._bucket.delete(_head(plan_id))
            keys = [info.key async for info in self._bucket.list(f"plans/{plan_id}/")]
            for key in keys:
                await self._bucket.delete(key)

    async def forget_library(self, library_id: str) -> None:
        """Takes the plans of a library away."""
        async with _store():
            keys = [info.key async for info in self._bucket.list(f"plans/{library_id}-")]
            for key in keys:
                await self._bucket.delete(key)

    async def _opened(self, key: str) -> _Block:
        block = self._held.get(key)
        if block is None:
            async with _store():
                found = await self._bucket.get(key)
            if found is None:
                raise _lost()
            data = zstandard.decompress(found.data, max_output_size=_LARGEST)
            block = self._held[key] = _blocks.decode(data)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return block


def _packed(maker: PlanMaker) -> Iterator[tuple[bytes, int]]:
    """Blocks of a plan, with the number of batches in each; a batch is packed at once, for as objects it is large."""
    block: list[msgspec.Raw] = []
    for batch in maker.batches():
        block.append(msgspec.Raw(msgspec.msgpack.encode(batch)))
        if len(block) == BLOCK:
            yield _compressed(block), len(block)
            block = []
    if block:
        yield _compressed(block), len(block)


def _compressed(block: _Block) -> bytes:
    return zstandard.compress(msgspec.msgpack.encode(block), 3)


def _head(plan_id: str) -> str:
    return f"plans/{plan_id}/head"


def _block(plan_id: str, number: int) -> str:
    return f"plans/{plan_id}/{number:06d}"


def _lost() -> DataLossError:
    return DataLossError(ERROR_REASON_INTERNAL, "the plan of this job is gone; warm the library again")


@asynccontextmanager
async def _store() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise faults.store_unavailable("LIBRARY_DATA") from error
