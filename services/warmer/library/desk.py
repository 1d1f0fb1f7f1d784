"""What people ask of stored libraries: one, a page of them, and that one be forgotten; until then they stay."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_PAGE_TOKEN
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError
from services.warmer import checks, faults
from services.warmer.jobs.jobs import already_running
from services.warmer.library.libraries import Libraries


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryDesk:
    """Answers for stored libraries."""

    libraries: Libraries
    """Where they lie."""
    is_busy: Callable[[str], Awaitable[str]]
    """The job that runs on a library; empty when none does."""
    forget: Sequence[Callable[[str], Awaitable[None]]] = ()
    """What else goes with a library, by its id."""

    async def get(self, library_id: str) -> pb.Library:
        """A library.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if not checks.is_library_id(library_id):
            raise faults.not_found(library_id)
        return await self.libraries.require(library_id)

    async def page(self, size: int, token: str) -> tuple[list[pb.Library], str]:
        """Libraries, by id, and the token of the next page; "" at the end.

        Args:
            size: how many at most.
            token: from the page before; empty for the first.

        Raises:
            InvalidArgumentError: INVALID_PAGE_TOKEN.
            UnavailableError: STORE_UNAVAILABLE.
        """
        found: list[pb.Library] = []
        async for library in self.libraries.all(after=_read_token(token) if token else ""):
            if len(found) == size:
                return found, _token(found[-1].id)
            found.append(library)
        return found, ""

    async def delete(self, library_id: str) -> None:
        """Forgets a library; one that is forgotten already stays so, for whoever asks twice means it once.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND; no library can have this id.
            AbortedError: JOB_ALREADY_RUNNING.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if not checks.is_library_id(library_id):
            raise faults.not_found(library_id)
        if job_id := await self.is_busy(library_id):
            raise already_running(library_id, job_id)
        await self.libraries.delete(library_id)
        for forget in self.forget:
            await forget(library_id)


def _token(library_id: str) -> str:
    return base64.urlsafe_b64encode(library_id.encode()).decode()


def _read_token(token: str) -> str:
    try:
        library_id = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        library_id = ""
    if not checks.is_library_id(library_id):
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_PAGE_TOKEN, "page_token is none that this method gave out", field="page_token"
        )
    return library_id
