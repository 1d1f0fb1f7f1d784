"""The only place that speaks HTTP: one call to ISBNdb in its turn, and every foreign failure turned into ours."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from http import HTTPStatus
from urllib.parse import quote, urlencode

import aiohttp
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from mesh.secrets import Secret
from mesh.status import MeshError
from services.isbndb import faults
from services.isbndb.bodies import Json, read_body
from services.isbndb.pacing import Pacer
from services.isbndb.quota import Quota

BODY_LIMIT = 6 * 1024 * 1024
"""Bytes of an answer; ISBNdb's own gateway gives none over 6 MB."""

CALL_LIMIT_S = 30.0
"""Seconds that one call may take when nobody sets it a shorter time."""

_CHUNK = 64 * 1024
_CONNECTIONS = 64

_log = structlog.get_logger("services.isbndb")


def open_session() -> aiohttp.ClientSession:
    """A session for one host: no cookies, no proxies of the environment's; made in the loop that uses it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S),
        headers={"Accept": "application/json", "User-Agent": "bookmesh"},
    )


@contextmanager
def foreign_errors() -> Iterator[None]:
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


class Upstream:
    """ISBNdb over HTTP.

    Args:
        session: what calls go out through.
        base_url: where ISBNdb answers.
        key: the account's key; None when nobody has set it.
        pacer: gives each call its turn.
        quota: counts each call.
        clock: seconds, never going back, for how long calls took.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key: Secret | None,
        pacer: Pacer,
        quota: Quota,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._key = key
        self._pacer = pacer
        self._quota = quota
        self._clock = clock

    async def get(self, path: Sequence[str], query: Mapping[str, str], *, left_s: float) -> Json | None:
        """Reads a resource; None when ISBNdb says that there is none.

        Args:
            path: its segments, as text.
            query: the parameters.
            left_s: seconds that the call has left; what would wait longer for its turn is refused at once.

        Raises:
            FailedPreconditionError: SECRET_MISSING.
            ResourceExhaustedError: PROVIDER_RATE_LIMITED or QUOTA_SPENT.
            UnavailableError: every other failure.
        """
        return await self._call("GET", _target(path, query), None, left_s)

    async def post(self, path: Sequence[str], form: Mapping[str, str], *, left_s: float) -> Json | None:
        """Sends a form; as `get` in all else."""
        # ISBNdb separates the ISBNs of a bulk look-up by plain commas.
        return await self._call("POST", _target(path, {}), urlencode(form, safe=","), left_s)

    async def _call(self, method: str, target: str, form: str | None, left_s: float) -> Json | None:
        if self._key is None:
            raise faults.secret_missing()
        self._quota.check()
        await self._pacer.turn(left_s)
        self._quota.take()
        started, status, outcome, cause = self._clock(), 0, "abandoned", ""
        answer: Json | None = None
        failure: MeshError | None = None
        try:
            with foreign_errors():
                async with self._request(method, target, form, self._key) as response:
                    status = response.status
                    body = await _read(response)
            answer = read_body(status, body, response.headers.get("Retry-After", ""))
            outcome = "NOTHING" if answer is None else "OK"
        except MeshError as error:
            failure, cause = self._meant(error, status), type(error.__cause__).__name__ if error.__cause__ else ""
            outcome = failure.reason
        finally:
            took_ms = round((self._clock() - started) * 1000, 1)
            _log.info(
                "provider_called", method=method, path=target, status=status, outcome=outcome, cause=cause, ms=took_ms
            )
        if failure is not None:
            # Raised here and anew, for the foreign exception behind it shows the key in its repr.
            raise failure.detached()
        return answer

    def _request(
        self, method: str, target: str, form: str | None, key: Secret
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        # ISBNdb takes the key itself, with no scheme before it.
        headers = {"Authorization": key.reveal().strip()}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        # The path is escaped already; a redirect would carry the key to wherever it points.
        url = URL(self._base_url + target, encoded=True)
        return self._session.request(method, url, data=form, headers=headers, allow_redirects=False)

    def _meant(self, error: MeshError, status: int) -> MeshError:
        """What a failure means to us beyond its status: a spent quota is refused like a wrong key."""
        if status == HTTPStatus.FORBIDDEN and self._quota.spent:
            return self._quota.refusal()
        if error.reason == "PROVIDER_RATE_LIMITED":
            self._pacer.hold(error.retry_after_s or 0.0)
        return error


def _target(path: Sequence[str], query: Mapping[str, str]) -> str:
    """Path and query with everything escaped; a slash in a name is part of the name."""
    escaped = "/".join(quote(segment, safe="") for segment in path)
    return f"/{escaped}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked.

    Raises:
        UnavailableError: PROVIDER_BAD_ANSWER; it is over BODY_LIMIT, which is found out before memory is.
    """
    parts, size = [], 0
    async for part in response.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > BODY_LIMIT:
            raise faults.bad_answer("more than 6 MB", response.status)
        parts.append(part)
    return b"".join(parts)
