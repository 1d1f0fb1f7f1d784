"""The only place that tells why Google Books refused a call: too fast, a spent day, a wrong key, or not well. Pure.

Its statuses alone do not say: 429, 403 and 400 have all been seen for a spent day, and 400 for a wrong key as well.
"""

from http import HTTPStatus

from mesh.status import MeshError
from services.books.providers.faults import Faults
from services.books.providers.http import PAUSE_S, Json, Reply
from services.books.providers.record import list_of, object_of
from services.cataloguing.text import line_of

_MINUTE_PAUSE_S = 20.0
"""Seconds to stay away where its limit is by the minute; where it is by the second, the shared pause will do."""

_DAY_REASONS = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_RATE_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_KEY_REASONS = {"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED"}


def refusal(faults: Faults, reply: Reply) -> MeshError:
    """Why it gave no volumes: status alone does not tell a key that is spent from one that is wrong."""
    status = reply.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return faults.unreachable("a server error", status)
    reasons, limit = _told(reply.json() or {})
    if reasons & _KEY_REASONS:
        return faults.key_refused("its keys are valid", status)
    by_day = "PerDay" in limit or "1/d/" in limit
    if reasons & _DAY_REASONS or (reasons & _RATE_REASONS and by_day):
        return faults.quota_spent(status)
    if reasons & _RATE_REASONS or status == HTTPStatus.TOO_MANY_REQUESTS:
        pause_s = _MINUTE_PAUSE_S if "PerMinute" in limit or "1/min/" in limit else PAUSE_S
        return faults.rate_limited(reply.retry_after_s or pause_s, status)
    if "RESOURCE_EXHAUSTED" in reasons:
        # A keyed quota has been seen to be spent with a 400 that says no more than that.
        return faults.quota_spent(status)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return faults.key_refused("its keys are valid and may call the Books API", status)
    return faults.bad_answer("an unforeseen status", status)


def _told(answer: Json) -> tuple[set[str], str]:
    """The words that say why, wherever an error body has them, and the limit that it names."""
    error = object_of(answer.get("error"))
    details = [object_of(each) for each in list_of(error.get("details"))]
    named = [*map(object_of, list_of(error.get("errors"))), *details]
    words = {line_of(each.get("reason")) for each in named} | {line_of(error.get("status"))}
    terms = [object_of(each.get("metadata")) for each in details]
    return words, " ".join(line_of(each.get(key)) for each in terms for key in ("quota_limit", "quota_unit"))
