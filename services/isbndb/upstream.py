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

from mesh.call import answers_batch
from mesh.quota import refusals
from mesh.quota.account import Account
from mesh.quota.key_ring import KeyRing
from mesh.quota.ledger import Ledger
from mesh.secrets import Secret
from mesh.status import MeshError
from services.isbndb import faults
from services.isbndb.bodies import Json, read_body

BODY_LIMIT = 6 * 1024 * 1024
"""Bytes of an answer; ISBNdb's own gateway gives none over 6 MB."""

CALL_LIMIT_S = 30.0
"""Seconds that one call may take when nobody sets it a shorter time."""

_CHUNK = 64 * 1024
_CONNECTIONS = 64

_KEY_REFUSED = "PROVIDER_KEY_REFUSED"

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
        keys: chooses the key of each call; None when nobody has set any.
        ledger: is told what ISBNdb says of rate and quota.
        clock: seconds, never going back, for how long calls took.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        keys: KeyRing | None,
        ledger: Ledger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._keys = keys
        self._ledger = ledger
        self._clock = clock
        self.call_count = 0
        """Calls that were sent, whatever came of them."""

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
        if self._keys is None:
            raise faults.secret_missing()
        ends_at = self._clock() + left_s
        while True:
            account = await self._keys.take(left_s=ends_at - self._clock(), batch=answers_batch())
            answer, failure = await self._send(method, target, form, account)
            if failure is None:
                return answer
            if failure.reason == _KEY_REFUSED:
                self._keys.refuse(account)
            # Another key may be well; where the days of all are spent, the ring says until when.
            if failure.reason == refusals.QUOTA_SPENT or (failure.reason == _KEY_REFUSED and self._keys.usable()):
                continue
            # Raised here and anew, for the foreign exception behind it shows the key in its repr.
            raise failure.detached()

    async def _send(
        self, method: str, target: str, form: str | None, account: Account
    ) -> tuple[Json | None, MeshError | None]:
        """One call that has its turn: what ISBNdb answers, or what its failure means to us."""
        self.call_count += 1
        started, status, outcome, cause = self._clock(), 0, "abandoned", ""
        answer: Json | None = None
        failure: MeshError | None = None
        try:
            with foreign_errors():
                async with self._request(method, target, form, account) as response:
                    status = response.status
                    body = await _read(response)
            answer = read_body(status, body, response.headers.get("Retry-After", ""))
            outcome = "NOTHING" if answer is None else "OK"
        except MeshError as error:
            cause = type(error.__cause__).__name__ if error.__cause__ else ""
            failure = await self._meant(error, status, account)
            outcome = failure.reason
        finally:
            took_ms = round((self._clock() - started) * 1000, 1)
            _log.info(
                "provider_called", method=method, path=target, status=status, outcome=outcome, cause=cause, ms=took_ms
            )
        return answer, failure

    def _request(
        self, method: str, target: str, form: str | None, account: Account
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        # ISBNdb takes the key itself, with no scheme before it.
        headers = {"Authorization": _revealed(account.key)}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        # The path is escaped already; a redirect would carry the key to wherever it points.
        url = URL(self._base_url + target, encoded=True)
        return self._session.request(method, url, data=form, headers=headers, allow_redirects=False)

    async def _meant(self, error: MeshError, status: int, account: Account) -> MeshError:
        """What a failure means to us beyond its status: a spent quota is refused like a wrong key."""
        if status == HTTPStatus.FORBIDDEN:
            usage = await self._ledger.usage(account)
            if usage.spent:
                return refusals.quota_spent(account, usage.reset_at, usage.now)
        elif error.reason == refusals.RATE_LIMITED:
            await self._ledger.hold(account, error.retry_after_s or 0.0)
        return error


def _revealed(key: Secret | None) -> str:
    return "" if key is None else key.reveal().strip()


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
