"""Kv and Bucket: the two kinds of store that an Env can name, whatever stands behind them.

Every method may raise StoreUnavailableError, or its subclass StoreTimeoutError; nothing else comes out of a store.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

TOPIC_LENGTH = 10_000
"""Messages of a topic that a store keeps at least, for listeners that were cut off from it for a while."""


@runtime_checkable
class Kv(Protocol):
    """Small values under keys of any Unicode text, in a namespace of their own."""

    async def get(self, key: str) -> bytes | None:
        """The value of a key; None when there is none, or its time is over."""

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys in one round trip, in their order."""

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value, for this many seconds or for good."""

    async def put_many(self, items: Mapping[str, bytes], *, ttl_s: float | None = None) -> None:
        """Sets many values in few round trips."""

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value unless the key has one; whether it did."""

    async def delete(self, *keys: str) -> int:
        """Removes keys; how many there were."""

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Removes a key only while it has this value, in one step; whether it did.

        So a lease is let go of by its holder alone: one that was too slow does not take it from the next.
        """

    async def extend_if(self, key: str, value: bytes, *, ttl_s: float) -> bool:
        """Lets a key live for this many seconds from now only while it has this value, in one step; whether it did."""

    async def replace_if(self, key: str, value: bytes, new: bytes) -> bool:
        """Gives a key a new value, for good, only while it has this one, in one step; whether it did.

        So those who share a value change it one after the other: who has read an old one changes nothing.
        """

    def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so, in no order, each once."""

    async def ttl_s(self, key: str) -> float | None:
        """Seconds that a key has left; None when it lives for good or is not there."""

    async def announce(self, topic: str, message: bytes) -> None:
        """Tells a message to all who listen to a topic, in whatever process.

        It is heard at least once: where the connection breaks on the way it is told again, and may be heard twice.
        """

    def listening(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes | None]]:
        """Hears a topic: entered once it does, it gives every message that is announced from then on, in order.

        None stands for messages that may have been missed: the listener fell `TOPIC_LENGTH` behind, or the store was
        restarted without its data. It covers all that was announced before it came, and goes on from there.

        Unlike all else here it raises nothing for a store that is down: entering waits for it, and so does the
        iteration, which then goes on where it was. A wait that is cancelled loses nothing; leaving ends the listening.
        """

    async def ping(self) -> float:
        """Seconds that the store took to answer."""

    def name(self, key: str) -> str:
        """What the server calls a key, for those who speak to `raw`."""

    @property
    def raw(self) -> Any:
        """The redis-py client behind this, for streams and scripts; None where there is none."""

    async def aclose(self) -> None:
        """Lets go of connections."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object."""

    key: str
    """Its key."""
    size: int
    """Its bytes."""
    modified_time: float
    """When it was written, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object, whole."""

    data: bytes = field(repr=False)
    """Its bytes."""
    metadata: Mapping[str, str]
    """What was written beside it."""
    modified_time: float
    """When it was written, in seconds since the epoch."""


@runtime_checkable
class Bucket(Protocol):
    """Objects of any size under keys of Unicode text, at most 200 bytes quoted from slash to slash.

    Readers see an object whole or not at all.
    """

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Writes an object; with `if_absent` only if there is none. Whether it was written."""

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Writes an object of any size in bounded memory; how many bytes it has."""

    async def put_many(self, items: Mapping[str, bytes]) -> None:
        """Writes many objects whose loss costs little.

        Unlike `put` it waits for no disk: a machine that dies may lose what was written in its last seconds, or keep it
        torn. A process that dies loses nothing.
        """

    async def get(self, key: str) -> Object | None:
        """An object; None when there is none."""

    async def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """Many objects, in their order, in as few steps as the store allows."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes in bounded memory.

        Raises:
            KeyError: there is none.
        """

    async def delete(self, key: str) -> bool:
        """Removes an object; whether there was one."""

    def list(self, prefix: str = "", *, limit: int | None = None) -> AsyncIterator[ObjectInfo]:
        """The objects whose keys begin so, in an order that stays: by key, or by the quoted key."""

    async def ping(self) -> float:
        """Seconds that the store took to answer."""

    async def aclose(self) -> None:
        """Lets go of connections."""
