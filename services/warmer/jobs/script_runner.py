"""Runs scripts in the store: each within a time, twice where the connection broke, its errors made ours."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_STORE_UNAVAILABLE
from redis.exceptions import ConnectionError as RedisConnectionError

from mesh.status import FailedPreconditionError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv
from mesh.stores.redis_errors import mapped
from services.warmer import faults

LIMIT_S = 5.0
"""Seconds that a script may take; a store that is slower is down."""


class ScriptRunner:
    """Scripts, by name.

    Args:
        kv: the store.
        scripts: their texts.
    """

    def __init__(self, kv: Kv, scripts: Mapping[str, str]) -> None:
        self._kv = kv
        texts = scripts if kv.raw is not None else {}
        self._scripts: dict[str, Any] = {name: kv.raw.register_script(text) for name, text in texts.items()}

    @property
    def can_run(self) -> bool:
        """Whether the store is one that runs scripts; a store in memory is not."""
        return self._kv.raw is not None

    async def run(self, name: str, keys: Sequence[str], *arguments: str | float | bytes) -> Any:
        """What a script answers.

        Args:
            name: which.
            keys: of the service's namespace.
            arguments: what else it is given.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        return await self.do(lambda: self._scripts[name]([self._kv.name(key) for key in keys], arguments))

    async def do(self, operation: Any) -> Any:
        """What the store answers to an operation that may be done twice.

        Raises:
            FailedPreconditionError: STORE_UNAVAILABLE; the store is none that runs scripts.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if not self.can_run:
            raise FailedPreconditionError(
                ERROR_REASON_STORE_UNAVAILABLE,
                "jobs are shared by way of a Redis-protocol server, and WARMING_CACHE is none",
                metadata={"store": "WARMING_CACHE"},
            )
        try:
            with mapped():
                async with asyncio.timeout(LIMIT_S):
                    try:
                        return await operation()
                    except RedisConnectionError:
                        await self._kv.raw.connection_pool.disconnect(inuse_connections=False)
                        return await operation()
        except StoreError as error:
            raise faults.store_unavailable("WARMING_CACHE") from error
