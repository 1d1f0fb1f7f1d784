"""What a bibliography is to the walk of a key: whom it asks, what it makes of their answers, and how pages are told."""

import asyncio
from collections.abc import Sequence

from bookmesh.books.v1.books_service_pb2 import AuthorBibliographyResponse

from mesh.call import Clock
from services.books.answering import Answering
from services.books.answers import Answer
from services.books.bibliographers import Bibliographers
from services.books.checks import AuthorAsk
from services.books.entry import packed, rest_of, tags_of
from services.books.likeness import name_key
from services.books.making import Made
from services.books.oeuvre import listed
from services.books.paging import page_of, token_of
from services.books.search import spoken_of
from services.books.telling import Told, told

_PROVENANCE = 4
"""AuthorBibliographyResponse's field of the name."""

_REMADE = (
    "The list was made anew since the page before, so a work whose year changed meanwhile may be missed or repeated."
)


class Bibliography:
    """Answers with an author's works, page by page. The whole is one answer of the cache; pages are cut out of it.

    Args:
        answering: finds answers, or has them made.
        bibliographers: whom to ask.
        clock: seconds since the epoch.
    """

    def __init__(self, answering: Answering, bibliographers: Bibliographers, *, clock: Clock) -> None:
        self._answering = answering
        self._bibliographers = bibliographers
        self._clock = clock

    async def answer(self, ask: AuthorAsk, *, is_batch: bool = False) -> Told:
        """One page of an author's works.

        Args:
            ask: whose, and which page.
            is_batch: as `Search.answer` has it.

        Raises:
            NotFoundError: NOT_CACHED.
            UnavailableError: ALL_PROVIDERS_FAILED.
            ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED, as the providers said.
        """
        held = self._answering.at_hand(ask.key, ask.wishes) or await self._answering.answer(
            ask.key,
            ask.wishes,
            lambda left_s: self._made(ask, left_s, patient=is_batch),
            patient=is_batch or ask.wishes.no_cache,
        )
        page = page_of(held.entry, ask.page_size, ask.after)
        own_part = AuthorBibliographyResponse(
            next_page_token=token_of(ask.key, page.following) if page.following else "",
            gaps=[_REMADE] if page.is_remade else [],
        )
        return told(
            held,
            ask.key,
            self._clock(),
            start=page.start,
            stop=page.stop,
            own_part=own_part.SerializeToString(),
            provenance_number=_PROVENANCE,
        )

    async def _made(self, ask: AuthorAsk, left_s: float | None, *, patient: bool) -> Made:
        answers = await self._bibliographers.ask(ask.author, ask.language, patient=patient, left_s=left_s)
        # Thousands of editions take a second to join, and other calls don't wait for that.
        return await asyncio.to_thread(_whole, ask, answers)


def _whole(ask: AuthorAsk, answers: Sequence[Answer]) -> Made:
    response = listed(ask.author, ask.language, answers)
    works, ends = packed(response.works)
    # Nothing found is an answer about the author, too, and is purged with the rest.
    tags = tags_of([("author", name_key(ask.author)), *spoken_of(response.works)])
    response.ClearField("works")
    return Made(works=works, ends=ends, rest=rest_of(response), tags=tags, is_partial=response.partial)
