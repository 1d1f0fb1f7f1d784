"""The only place that words what can go wrong between the leaf and ISBNdb: one function for each failure.

What the ledger refuses is worded by `mesh.quota.refusals`, for every provider alike.
"""

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_BOOK_NOT_FOUND,
    ERROR_REASON_PROVIDER_BAD_ANSWER,
    ERROR_REASON_PROVIDER_KEY_REFUSED,
    ERROR_REASON_PROVIDER_TIMEOUT,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    ERROR_REASON_SECRET_MISSING,
)

from mesh.quota import refusals
from mesh.status import FailedPreconditionError, NotFoundError, ResourceExhaustedError, UnavailableError

PROVIDER = "isbndb"
"""The provider's name in errors, editions and identifiers."""

NAME = "ISBNdb"
"""The provider's name for people."""

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
        "ISBNdb refuses the key; see that ISBNDB_API_KEY and ISBN_SEARCH_KEY are current and ISBNDB_PLAN is their plan",
        metadata={"provider": PROVIDER, **_http(status)},
    )


def rate_limited(retry_after_s: float) -> ResourceExhaustedError:
    """ISBNdb asked us to slow down."""
    return refusals.slow_down(PROVIDER, NAME, retry_after_s)


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
