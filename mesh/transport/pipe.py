"""A bounded stream between two tasks: the writer waits while the reader is behind, and either can end it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_DEPTH = 16
"""Messages under way before the writer waits, as flow control would make it over the wire."""


class Pipe(Generic[Item]):
    """One writer, one reader."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(_DEPTH)
        self._ended = False

    async def put(self, item: Item) -> bool:
        """Hands over one message; False when the stream has ended, and the message went nowhere."""
        await self._room.acquire()
        if self._ended:
            self._room.release()
            return False
        self._queue.put_nowait(item)
        return True

    def end(self) -> None:
        """Ends the stream: the reader gets what was put before, then the end; a waiting writer is let go."""
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(None)
            self._room.release()

    async def get(self) -> Item | None:
        """The next message; None at the end, however often it is asked."""
        item = await self._queue.get()
        if item is None:
            self._queue.put_nowait(None)
        else:
            self._room.release()
        return item

    async def __aiter__(self) -> AsyncIterator[Item]:
        """The messages until the end."""
        while (item := await self.get()) is not None:
            yield item
