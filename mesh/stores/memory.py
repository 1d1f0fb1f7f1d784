"""Stores in memory, for tests: they keep the contract of the real ones, and pass the same tests."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from mesh.call import Clock
from mesh.stores.errors import StoreUnavailableError
from mesh.stores.memory_topics import MemoryTopics
from mesh.stores.protocol import Object, ObjectInfo


class _Switchable:
    """A store that a test can take down."""

    def __init__(self) -> None:
        self._down = False

    @property
    def down(self) -> bool:
        """Whether it refuses to work."""
        return self._down

    @down.setter
    def down(self, down: bool) -> None:
        self._down = down
        self._switched()

    def _switched(self) -> None:
        """Lets those know who wait for the store."""

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailableError("the store was taken down")

    async def ping(self) -> float:
        """Answers at once."""
        self._check()
        return 0.0

    async def aclose(self) -> None:
        """Has nothing to let go of."""


class MemoryKv(_Switchable):
    """Kv in a dict.

    Args:
        clock: what times to live go by, in seconds.
    """

    raw = None

    def __init__(self, clock: Clock = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._values: dict[str, tuple[bytes, float | None]] = {}
        self._topics = MemoryTopics(lambda: self.down)

    def name(self, key: str) -> str:
        """The key itself."""
        return key

    def _value(self, key: str) -> bytes | None:
        value, ends = self._values.get(key, (None, None))
        if ends is not None and ends <= self._clock():
            del self._values[key]
            return None
        return value

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        self._check()
        return self._value(key)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys."""
        return [await self.get(key) for key in keys]

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value."""
        self._check()
        self._values[key] = (value, None if ttl_s is None else self._clock() + ttl_s)

    async def put_many(self, items: Mapping[str, bytes], *, ttl_s: float | None = None) -> None:
        """Sets many values."""
        for key, value in items.items():
            await self.put(key, value, ttl_s=ttl_s)

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value unless the key has one."""
        self._check()
        if self._value(key) is not None:
            return False
        await self.put(key, value, ttl_s=ttl_s)
        return True

    async def delete(self, *keys: str) -> int:
        """Removes keys."""
        self._check()
        found = [key for key in dict.fromkeys(keys) if self._value(key) is not None]
        for key in found:
            del self._values[key]
        return len(found)

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Removes a key only while it has this value."""
        self._check()
        if self._value(key) != value:
            return False
        del self._values[key]
        return True

    async def extend_if(self, key: str, value: bytes, *, ttl_s: float) -> bool:
        """Lets a key live on only while it has this value."""
        self._check()
        if self._value(key) != value:
            return False
        self._values[key] = (value, self._clock() + ttl_s)
        return True

    async def replace_if(self, key: str, value: bytes, new: bytes) -> bool:
        """Gives a key a new value only while it has this one."""
        self._check()
        if self._value(key) != value:
            return False
        self._values[key] = (new, None)
        return True

    async def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so."""
        self._check()
        found = [key for key in list(self._values) if key.startswith(prefix) and self._value(key) is not None]
        for key in found[:limit]:
            yield key

    async def ttl_s(self, key: str) -> float | None:
        """Seconds that a key has left."""
        self._check()
        if self._value(key) is None:
            return None
        ends = self._values[key][1]
        return None if ends is None else ends - self._clock()

    async def announce(self, topic: str, message: bytes) -> None:
        """Tells a message to all who listen."""
        self._check()
        self._topics.announce(topic, message)

    def listening(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes | None]]:
        """Hears a topic."""
        return self._topics.listening(topic)

    def forget(self) -> None:
        """Loses all, as a server does that is restarted without its data."""
        self._values.clear()
        self._topics.forget()

    def _switched(self) -> None:
        self._topics.wake()


class MemoryBucket(_Switchable):
    """Bucket in a dict.

    Args:
        clock: what modification times go by, in seconds since the epoch.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._objects: dict[str, Object] = {}

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Writes an object."""
        self._check()
        if if_absent and key in self._objects:
            return False
        self._objects[key] = Object(data, dict(metadata or {}), self._clock())
        return True

    async def put_many(self, items: Mapping[str, bytes]) -> None:
        """Writes many objects."""
        for key, data in items.items():
            await self.put(key, data)

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Writes an object when its last byte has come."""
        data = b"".join([chunk async for chunk in chunks])
        await self.put(key, data, metadata=metadata)
        return len(data)

    async def get(self, key: str) -> Object | None:
        """An object."""
        self._check()
        return self._objects.get(key)

    async def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """Many objects."""
        return [await self.get(key) for key in keys]

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object's bytes."""
        self._check()
        yield self._objects[key].data

    async def delete(self, key: str) -> bool:
        """Removes an object."""
        self._check()
        return self._objects.pop(key, None) is not None

    async def list(self, prefix: str = "", *, limit: int | None = None) -> AsyncIterator[ObjectInfo]:
        """The objects whose keys begin so, by key."""
        self._check()
        for key in sorted(key for key in self._objects if key.startswith(prefix))[:limit]:
            found = self._objects[key]
            yield ObjectInfo(key, len(found.data), found.modified_time)
