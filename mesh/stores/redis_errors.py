"""From redis-py's errors, and those of the socket below it, to ours: the only place that knows them."""

import contextlib
from collections.abc import Iterator

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mesh.stores.errors import StoreTimeoutError, StoreUnavailableError


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Turns redis-py's errors, and those of the socket below it, into ours."""
    try:
        yield
    except (RedisTimeoutError, TimeoutError) as error:
        raise StoreTimeoutError("the key-value store did not answer in time") from error
    except (RedisError, OSError) as error:
        raise StoreUnavailableError(f"the key-value store failed: {type(error).__name__}") from error
