"""An author's works from Google Books: which pages are asked for, and what is known to be missing of them."""

from collections.abc import Sequence
from http import HTTPStatus

from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError
from services.books.providers.caller import Caller
from services.books.providers.google_books import FAULTS, PAGE_SIZE, restriction, volumes_of, works_of
from services.books.providers.http import Reply
from services.books.providers.protocol import Found
from services.books.providers.record import object_of
from services.books.query import normal_form

LAST_PAGE = 5
"""Pages that are asked for at most: each costs a call of a thousand a day, and what comes late is less and less his."""

_MORE = PAGE_SIZE // 2
"""Volumes of a page from which on another is asked for. It leaves some of a page out, and its totals change from page
to page, so that neither tells where the list ends."""


class GoogleBibliography:
    """Google Books, asked for the volumes of an author. Books about the author are among them.

    Args:
        caller: makes the calls.
    """

    name = FAULTS.provider

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def bibliography(
        self, author: str, *, language: str, limit_s: float | None = None, batch: bool = False
    ) -> Found:
        """The volumes of an author, in one call for most.

        Raises:
            FailedPreconditionError: SECRET_MISSING; without a key it gives nothing today.
            ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED.
            UnavailableError: every other failure, where nothing came before it.
        """
        name = normal_form(author)
        if not name:
            return Found()
        calls = self._caller.begin(limit_s=limit_s, batch=batch)
        terms = {"q": f'inauthor:"{name}"', "printType": "books", **restriction(author, language)}
        works: list[Work] = []
        for page in range(LAST_PAGE):
            paging = {"startIndex": str(page * PAGE_SIZE), "maxResults": str(PAGE_SIZE)}
            try:
                volumes = await calls.get("/volumes", {**terms, **paging}, _later_volumes_of if page else volumes_of)
            except MeshError as error:
                if not page:
                    raise
                return Found(works=works, call_count=calls.call_count, failure=error)
            works += works_of(volumes)
            if len(volumes) < _MORE:
                return Found(works=works, call_count=calls.call_count)
        gap = f"{self.name} was asked for {LAST_PAGE * PAGE_SIZE} volumes, and may have more."
        return Found(works=works, call_count=calls.call_count, gaps=[gap])


def _later_volumes_of(reply: Reply) -> Sequence[object]:
    """The items of a page behind the first. One past the end has none, whatever total it tells.

    Raises:
        MeshError: as `volumes_of`.
    """
    answer = object_of(reply.json())
    if reply.status == HTTPStatus.OK and answer.get("kind") == "books#volumes" and "items" not in answer:
        return []
    return volumes_of(reply)
