"""A key-value store whose wire a test can cut, at any write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from mesh.stores.redis_kv import RedisKv


class Wire:
    """A client of the store whose connections can be cut, for good or while they are down.

    Args:
        raw: the client.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.down = False
        self.left: int | None = None
        """How many writes it carries yet before it is cut; no end of them when None."""

    def carry(self) -> None:
        """Something is written over it.

        Raises:
            RedisConnectionError: it is cut.
        """
        if self.left is not None:
            self.left -= 1
            self.down = self.down or self.left < 0
        if self.down:
            raise RedisConnectionError("cut")

    def __getattr__(self, name: str) -> Any:
        """What the client has, but for whoever is cut off."""
        found = getattr(self._raw, name)
        if not callable(found) or name in {"register_script", "connection_pool"}:
            return found

        async def cut_or_done(*arguments: Any, **more: Any) -> Any:
            if self.down:
                raise RedisConnectionError("cut")
            return await found(*arguments, **more)

        return cut_or_done


class CutKv(RedisKv):
    """A key-value store whose wire a test can cut."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(url, namespace)
        self.wire = Wire(super().raw)

    @property
    def raw(self) -> Any:
        """The client; scripts that are registered with it go over the same wire."""
        wire = self.wire

        class _Raw:
            connection_pool = wire.connection_pool

            def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
                script = wire.register_script(text)

                async def run(*arguments: Any) -> Any:
                    wire.carry()
                    return await script(*arguments)

                return run

            def __getattr__(self, name: str) -> Any:
                return getattr(wire, name)

        return _Raw()

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        """What does not go through the client goes over the wire as well."""
        async with super()._operation():
            self.wire.carry()
            yield
