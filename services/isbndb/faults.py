"""The only place that words what can go wrong between the leaf and ISBNdb: one function for each failure."""

from datetime import UTC, datetime

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_BOOK_NOT_FOUND,
    ERROR_REASON_PROVIDER_BAD_ANSWER,
    ERROR_REASON_PROVIDER_KEY_REFUSED,
    ERROR_REASON_PROVIDER_RATE_LIMITED,
    ERROR_REASON_PROVIDER_TIMEOUT,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    ERROR_REASON_QUOTA_SPENT,
    ERROR_REASON_SECRET_MISSING,
)

from mesh.status import FailedPreconditionError, NotFoundError, ResourceExhaustedError, UnavailableError

PROVIDER = "isbndb"
"""The provider's name in errors, editions and identifiers."""

SECRET = "ISBNDB_API_KEY"  # noqa: S105 - the name of the binding, not its value


def unreachable(what: str, status: int = 0) -> UnavailableError:
    """ISBNdb could not be reached, or failed.

    Args:
        what: the kind of failure in one word or two, without anything of the request.
        status: the HTTP status, when there was one.
    """
    return UnavailableError(
        ERROR_REASON_PROVIDER_UNAVAILABLE,
        f"ISBNdb can't be reached or failed: {what}",
        metadata={"provider": PROVIDER, "cause": what, **_http(status)},
    )


def bad_answer(what: str, status: int = 0) -> UnavailableError:
    """ISBNdb answered something that can't be read; `what` says what, and `status` the HTTP status."""
    return UnavailableError(
        ERROR_REASON_PROVIDER_BAD_ANSWER,
        f"ISBNdb answered something that can't be read: {what}",
        metadata={"provider": PROVIDER, "cause": what, **_http(status)},
    )


def too_slow() -> UnavailableError:
    """ISBNdb took longer than the call had time."""
    return UnavailableError(
        ERROR_REASON_PROVIDER_TIMEOUT,
        "ISBNdb took longer than the call had time",
        metadata={"provider": PROVIDER},
    )


def key_refused(status: int) -> UnavailableError:
    """ISBNdb refuses the key, or the key's plan does not allow the call."""
    return UnavailableError(
        ERROR_REASON_PROVIDER_KEY_REFUSED,
        "ISBNdb refuses the key; see that ISBNDB_API_KEY is current and ISBNDB_PLAN is its plan",
        metadata={"provider": PROVIDER, **_http(status)},
    )


def rate_limited(retry_after_s: float) -> ResourceExhaustedError:
    """ISBNdb asked us to slow down."""
    return ResourceExhaustedError(
        ERROR_REASON_PROVIDER_RATE_LIMITED,
        "ISBNdb asked us to slow down",
        retry_after_s=retry_after_s,
        metadata={"provider": PROVIDER, **_http(429)},
    )


def queue_too_long(wait_s: float, left_s: float) -> ResourceExhaustedError:
    """So many calls wait for their turn that this one's time would be over before it began."""
    wait_ms, left_ms = str(round(wait_s * 1000)), str(round(left_s * 1000))
    return ResourceExhaustedError(
        ERROR_REASON_PROVIDER_RATE_LIMITED,
        f"the plan's rate lets this call begin in {wait_ms} ms, but it has {left_ms} ms left",
        retry_after_s=wait_s,
        metadata={"provider": PROVIDER, "wait_ms": wait_ms, "left_ms": left_ms},
    )


def quota_spent(reset_at: float, now: float) -> ResourceExhaustedError:
    """The day's calls are used up; `reset_at` and `now` are seconds since the epoch."""
    reset = datetime.fromtimestamp(reset_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ResourceExhaustedError(
        ERROR_REASON_QUOTA_SPENT,
        f"the day's calls to ISBNdb are spent until {reset}",
        retry_after_s=max(0.0, reset_at - now),
        metadata={"provider": PROVIDER, "reset_time": reset},
    )


def secret_missing() -> FailedPreconditionError:
    """Nobody has set the key."""
    return FailedPreconditionError(
        ERROR_REASON_SECRET_MISSING,
        f"the secret {SECRET} is not set, and ISBNdb answers nobody without it",
        metadata={"secret": SECRET},
    )


def book_not_found(isbn: str) -> NotFoundError:
    """ISBNdb has no book of this ISBN."""
    return NotFoundError(
        ERROR_REASON_BOOK_NOT_FOUND,
        f"ISBNdb has no book of the ISBN {isbn}",
        metadata={"isbn": isbn},
    )


def _http(status: int) -> dict[str, str]:
    return {"http_status": str(status)} if status else {}
