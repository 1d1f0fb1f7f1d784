"""Why a file is no library, in the contract's words."""

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ErrorReason

from mesh.status import InvalidArgumentError
from services.warmer.faults import refused
from services.warmer.library.decoding import LibraryError, NotTextError
from services.warmer.library.reading import EmptyLibraryError, NoUsableColumnError, TooManyRowsError

FAULTS: dict[type[LibraryError], tuple[LibraryError, str]] = {
    EmptyLibraryError: (EmptyLibraryError(), "LIBRARY_EMPTY"),
    NotTextError: (NotTextError(7), "LIBRARY_NOT_TEXT"),
    NoUsableColumnError: (NoUsableColumnError("title", "a, b"), "LIBRARY_NO_COLUMNS"),
    TooManyRowsError: (TooManyRowsError(5), "LIBRARY_TOO_LARGE"),
}


def test_none_is_missing() -> None:
    """Every reason that reading can have stands here."""
    assert set(FAULTS) == set(LibraryError.__subclasses__())


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_refused(kind: type[LibraryError]) -> None:
    """Each is told by a reason of its own, which is in the contract."""
    error, reason = FAULTS[kind]
    told = refused(error)
    assert (type(told), told.reason) == (InvalidArgumentError, reason)
    assert f"ERROR_REASON_{told.reason}" in set(ErrorReason.keys())
