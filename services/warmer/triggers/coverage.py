"""How much of a library lies in the cache, tier by tier, and what came of every look: the only keeper of that.

coverage/<time>   a VerifyCacheResponse, by the time of the look in UTC: 20261126T020000Z
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_PAGE_TOKEN
from bookmesh.warmer.v1 import admin_service_pb2 as pb

from mesh.status import InvalidArgumentError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Bucket
from services.warmer import faults

_PREFIX = "coverage/"


class CoverageReports:
    """Reports at rest; they stay.

    Every method raises UnavailableError with STORE_UNAVAILABLE when the store does not answer.

    Args:
        bucket: the store.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def keep(self, report: pb.VerifyCacheResponse) -> None:
        """Stores a report under its time."""
        time = datetime.fromtimestamp(report.verify_time.ToMicroseconds() / 1e6, UTC)
        async with _store():
            await self._bucket.put(f"{_PREFIX}{time:%Y%m%dT%H%M%S}Z", report.SerializeToString())

    async def page(self, size: int, token: str) -> tuple[list[pb.VerifyCacheResponse], str]:
        """Reports, newest first, and the token of the next page; "" at the end.

        Raises:
            InvalidArgumentError: INVALID_PAGE_TOKEN.
        """
        if token and not token.startswith(_PREFIX):
            raise InvalidArgumentError(
                ERROR_REASON_INVALID_PAGE_TOKEN, "page_token is none that this method gave out", field="page_token"
            )
        async with _store():
            keys = sorted([info.key async for info in self._bucket.list(_PREFIX)], reverse=True)
            left = [key for key in keys if not token or key < token]
            found = [await self._bucket.get(key) for key in left[:size]]
        reports = [pb.VerifyCacheResponse.FromString(each.data) for each in found if each is not None]
        return reports, left[size - 1] if len(left) > size else ""


@asynccontextmanager
async def _store() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise faults.store_unavailable("LIBRARY_DATA") from error
