"""The errors that libraries give rise to, in the contract's words: the only place that makes them."""

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_LIBRARY_EMPTY,
    ERROR_REASON_LIBRARY_NO_COLUMNS,
    ERROR_REASON_LIBRARY_NOT_FOUND,
    ERROR_REASON_LIBRARY_NOT_TEXT,
    ERROR_REASON_LIBRARY_TOO_LARGE,
    ERROR_REASON_STORE_UNAVAILABLE,
)

from mesh.status import InvalidArgumentError, NotFoundError, UnavailableError
from services.warmer.library.decoding import LibraryError, NotTextError
from services.warmer.library.reading import NoUsableColumnError, TooManyRowsError


def refused(error: LibraryError) -> InvalidArgumentError:
    """Why a file is no library, as its uploader is told."""
    match error:
        case NoUsableColumnError():
            metadata = {"sought": error.sought, "found": error.found}
            return InvalidArgumentError(ERROR_REASON_LIBRARY_NO_COLUMNS, str(error), metadata=metadata)
        case NotTextError():
            return InvalidArgumentError(
                ERROR_REASON_LIBRARY_NOT_TEXT, str(error), metadata={"offset": str(error.offset)}
            )
        case TooManyRowsError():
            return too_large(error.limit, "rows")
    return InvalidArgumentError(ERROR_REASON_LIBRARY_EMPTY, str(error))


def too_large(limit: int, unit: str) -> InvalidArgumentError:
    """The library has more bytes or rows than are allowed."""
    return InvalidArgumentError(
        ERROR_REASON_LIBRARY_TOO_LARGE,
        f"a library has at most {limit:,} {unit}; part it into several",
        metadata={"limit": str(limit), "unit": unit},
    )


def not_found(library_id: str) -> NotFoundError:
    """Nobody has uploaded it."""
    return NotFoundError(
        ERROR_REASON_LIBRARY_NOT_FOUND,
        "there is no library of this id; upload it first",
        metadata={"library_id": library_id[:100]},
    )


def store_unavailable(store: str) -> UnavailableError:
    """A store that is needed does not answer."""
    return UnavailableError(
        ERROR_REASON_STORE_UNAVAILABLE, f"{store} does not answer, so nothing was done", metadata={"store": store}
    )
