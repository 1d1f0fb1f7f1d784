"""The only place in the proxy that speaks HTTP: one call behind a breaker, every foreign failure turned into ours."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from mesh.breaker import Breaker, Refusal
from mesh.status import MeshError, Outcome, classify
from services.books.providers.faults import Faults

BODY_LIMIT = 6 * 1024 * 1024
"""Bytes of an answer. Forty volumes with all their texts are some 300 KB."""

CALL_LIMIT_S = 10.0
"""Seconds that one call may take when nobody sets it a shorter time, the deadline of a binding."""

SLOW_S = 2.0
"""Seconds after which a call that is given up says that the provider is not well."""

PAUSE_S = 1.0
"""Seconds to stay away when a provider asks us to slow down and does not say for how long."""

METHOD = "find"
"""What the breakers of these providers are for, in place of a method's name."""

_CHUNK = 64 * 1024
_CONNECTIONS = 32
_LONGEST_RETRY_S = 3_600.0

_log = structlog.get_logger("services.books")

Json = dict[str, Any]
"""A JSON object."""

Turn = Callable[[float], Awaitable[Mapping[str, str]]]
"""Waits until a call may begin, for so many seconds at most; gives the headers that it goes out with."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before anyone has made sense of it."""

    status: int
    """The HTTP status."""
    body: bytes
    """The body, unpacked."""
    retry_after_s: float | None = None
    """Seconds to stay away, where the answer says so."""

    def json(self) -> Json | None:
        """The JSON object of the body; None when it holds none."""
        try:
            answer = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return answer if isinstance(answer, dict) else None


def open_session() -> aiohttp.ClientSession:
    """A session: no cookies, no proxies of the environment's; made in the loop that uses it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit_per_host=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json"},
    )


@contextmanager
def foreign_errors(faults: Faults) -> Iterator[None]:
    """Turns whatever a connection can raise into a MeshError.

    Raises:
        UnavailableError: PROVIDER_TIMEOUT, PROVIDER_BAD_ANSWER or PROVIDER_UNAVAILABLE.
    """
    try:
        yield
    except TimeoutError as error:
        raise faults.too_slow() from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, HttpProcessingError) as error:
        raise faults.bad_answer("broken HTTP") from error
    except (aiohttp.ClientError, OSError, EOFError, UnicodeError) as error:
        raise faults.unreachable("no connection") from error


class Line:
    """One provider over HTTP.

    Args:
        session: what calls go out through.
        base_url: where the provider answers.
        faults: its failures.
        breaker: keeps calls from it while it is not well.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        faults: Faults,
        breaker: Breaker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self.faults = faults
        self._breaker = breaker
        self._clock = clock

    async def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        turn: Turn,
        read: Callable[[Reply], Value],
        limit_s: float | None = None,
    ) -> Value:
        """Asks one question.

        Args:
            path: the path, escaped.
            query: the parameters.
            turn: lets the call begin.
            read: makes sense of the answer, or raises a MeshError.
            limit_s: seconds that all of it may take; CALL_LIMIT_S when None.

        Raises:
            UnavailableError: CIRCUIT_OPEN, or every failure of the connection.
            MeshError: what `turn` and `read` raised, without cause.
        """
        until = self._clock() + (CALL_LIMIT_S if limit_s is None else limit_s)
        permit = self._breaker.acquire()
        if isinstance(permit, Refusal):
            binding = self.faults.provider.upper()
            raise self.faults.circuit_open(permit.retry_after_s, self._breaker.state.value, binding, METHOD)
        outcome, sent_at = Outcome.NEUTRAL, math.inf
        try:
            headers = await turn(max(0.0, until - self._clock()))
            sent_at = self._clock()
            value = await self._sent(path, query, headers, read, until - sent_at)
            outcome = Outcome.SUCCESS
        except MeshError as error:
            outcome = classify(error)
            raise
        except asyncio.CancelledError:
            # Whoever waited went away; the provider is to blame only if that took long, its queue not counted.
            if self._clock() - sent_at >= SLOW_S:
                outcome = Outcome.FAILURE
            raise
        else:
            return value
        finally:
            self._breaker.release(permit, outcome, max(0.0, self._clock() - sent_at))

    async def _sent(
        self,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        read: Callable[[Reply], Value],
        left_s: float,
    ) -> Value:
        target = f"{path}?{urlencode(query, quote_via=quote)}"
        started, status, outcome, cause = self._clock(), 0, "abandoned", ""
        failure: MeshError | None = None
        try:
            with foreign_errors(self.faults):
                reply = await self._answered(target, headers, left_s)
            status = reply.status
            value = read(reply)
            outcome = "OK"
        except MeshError as error:
            failure, cause = error, type(error.__cause__).__name__ if error.__cause__ else ""
            outcome = error.reason
        finally:
            took_ms = round((self._clock() - started) * 1000, 1)
            # Keys travel in headers alone, so that the target can be told.
            _log.info(
                "provider_called",
                provider=self.faults.provider,
                method="GET",
                path=target,
                status=status,
                outcome=outcome,
                cause=cause,
                ms=took_ms,
            )
        if failure is not None:
            # Raised here and anew, for the foreign exception behind it shows the key in its repr.
            raise failure.detached()
        return value

    async def _answered(self, target: str, headers: Mapping[str, str], left_s: float) -> Reply:
        # The target is escaped already; a redirect would carry the key to wherever it points.
        url = URL(self._base_url + target, encoded=True)
        timeout = aiohttp.ClientTimeout(total=max(0.001, left_s))
        async with self._session.get(url, headers=headers, allow_redirects=False, timeout=timeout) as response:
            body = await self._body(response)
            return Reply(response.status, body, _seconds(response.headers.get("Retry-After", "")))

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked; one over BODY_LIMIT is found out before memory is."""
        parts, size = [], 0
        async for part in response.content.iter_chunked(_CHUNK):
            size += len(part)
            if size > BODY_LIMIT:
                raise self.faults.bad_answer("more than 6 MB", response.status)
            parts.append(part)
        return b"".join(parts)


def _seconds(retry_after: str) -> float | None:
    """What a Retry-After of digits says; dates are not worth the clock that they need."""
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(float(retry_after), _LONGEST_RETRY_S) if is_number else None
