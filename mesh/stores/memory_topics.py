"""Topics in memory, for tests: what they keep, how long, and what a listener is told of what is gone."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from mesh.stores.protocol import TOPIC_LENGTH


class MemoryTopics:
    """The topics of one store.

    Args:
        is_down: whether nothing can be heard just now.
    """

    def __init__(self, is_down: Callable[[], bool]) -> None:
        self.is_down = is_down
        self.topics: dict[str, Topic] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def announce(self, topic: str, message: bytes) -> None:
        """Keeps a message for those who listen."""
        self._topic(topic).append(message)
        self.wake()

    @contextlib.asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[AsyncIterator[bytes | None]]:
        """Hears a topic, once the store is not down."""
        while self.is_down():
            await self.changed()
        yield _Heard(self, topic, self._topic(topic))

    def forget(self) -> None:
        """Loses all, as a server does that is restarted without its data."""
        self.topics.clear()
        self.wake()

    def wake(self) -> None:
        """Lets all who wait look again."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def changed(self) -> None:
        """Waits until something has changed."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    def _topic(self, name: str) -> "Topic":
        return self.topics.setdefault(name, Topic())


class Topic:
    """The latest messages of one topic, counted from its first."""

    def __init__(self) -> None:
        self._messages = deque[bytes](maxlen=TOPIC_LENGTH)
        self.end = 0

    def append(self, message: bytes) -> None:
        """Adds a message."""
        self._messages.append(message)
        self.end += 1

    def after(self, place: int) -> bytes | None:
        """The message at a place; None when it is gone."""
        index = place - (self.end - len(self._messages))
        return self._messages[index] if index >= 0 else None


class _Heard:
    """The messages of one topic from a place on."""

    def __init__(self, store: MemoryTopics, name: str, topic: Topic) -> None:
        self._store = store
        self._name = name
        self._topic = topic
        self._place = topic.end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | None:
        """The next message, or None for messages that are gone."""
        while self._store.is_down() or (self._is_known() and self._place == self._topic.end):
            await self._store.changed()
        message = self._topic.after(self._place) if self._is_known() else None
        if message is not None:
            self._place += 1
            return message
        self._topic = self._store.topics.setdefault(self._name, Topic())
        self._place = self._topic.end
        return None

    def _is_known(self) -> bool:
        """Whether the topic is still the one that was begun with."""
        return self._store.topics.get(self._name) is self._topic
