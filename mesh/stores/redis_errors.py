"""From redis-py's errors, and those of the socket below it, to ours: the only place that knows them."""

import asyncio
import contextlib
from collections.abc import Iterator

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mesh.stores.errors import StoreTimeoutError, StoreUnavailableError


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Turns redis-py's errors, and those of the socket below it, into ours; a cancelling stays one."""
    with _heeded():
        try:
            yield
        except (RedisTimeoutError, TimeoutError) as error:
            raise StoreTimeoutError("the key-value store did not answer in time") from error
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(f"the key-value store failed: {type(error).__name__}") from error


@contextlib.contextmanager
def _heeded() -> Iterator[None]:
    """Cancels a task that was told to end meanwhile: the client swallows that now and then while it connects.

    It sends by `asyncio.wait_for`, which before Python 3.12 gives the result where both come in one turn of the loop.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
