"""What a search is to the walk of a key: whom it asks, what it makes of their answers, and how it tells them."""

from collections.abc import Awaitable, Callable, Sequence

from bookmesh.type.v1.book_pb2 import Work

from mesh.call import Clock
from services.books.answering import Answering
from services.books.answers import Answer, composed
from services.books.checks import Ask
from services.books.entry import packed, rest_of, tags_of
from services.books.likeness import name_key
from services.books.making import Made
from services.books.panel import Lookup, Panel
from services.books.query import Query
from services.books.sharing import Sharing
from services.books.telling import SEARCH_PROVENANCE, Told, told
from services.books.walking import Held

Asking = Callable[[Query, float | None], Awaitable[Sequence[Answer]]]
"""Asks the providers, within so many seconds."""


class Search:
    """Answers searches.

    Args:
        answering: finds answers, or has them made.
        panel: whom to ask.
        clock: seconds since the epoch.
    """

    def __init__(self, answering: Answering, panel: Panel, *, clock: Clock) -> None:
        self._answering = answering
        self._panel = panel
        self._clock = clock

    async def answer(self, ask: Ask, *, is_batch: bool = False) -> Told:
        """The answer to a search.

        Args:
            ask: the search.
            is_batch: nobody waits for this very answer. It is given when it lies in the cache, as it is to a caller
                that asked for news: what it says is a hit for others from then on.

        Raises:
            NotFoundError: NOT_CACHED.
            UnavailableError: ALL_PROVIDERS_FAILED.
            ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED, as the providers said.
        """
        held = self._answering.at_hand(ask.key, ask.wishes)
        if held is None:
            asking = self._panel_for(patient=is_batch, lookup=Sharing().lookup(ask) if is_batch else None)
            held = await self._answering.answer(
                ask.key,
                ask.wishes,
                lambda left_s: self._made(ask.query, asking, left_s),
                patient=is_batch or ask.wishes.no_cache,
            )
        return self.told(ask, held)

    async def looked(self, asks: Sequence[Ask], *, is_batch: bool) -> Sequence[tuple[Told | None, Held | None]]:
        """Of each search of many the cache's answer, and what it holds that may be too old for one.

        Args:
            asks: the searches.
            is_batch: nobody waits for the whole.
        """
        wanted: dict[str, float] = {}
        for ask in asks:
            if not ask.wishes.no_cache:
                wanted[ask.key] = max(wanted.get(ask.key, 0.0), ask.wishes.min_fresh_s)
        found = await self._answering.look_many(wanted)
        helds = [None if ask.wishes.no_cache else found.get(ask.key) for ask in asks]
        return [self._given(ask, held, is_batch=is_batch) for ask, held in zip(asks, helds, strict=True)]

    def _given(self, ask: Ask, held: Held | None, *, is_batch: bool) -> tuple[Told | None, Held | None]:
        if held is None or not (is_batch or self._answering.is_believed(held, ask.wishes)):
            return None, held
        if not self._answering.suits(ask.key, held, ask.wishes, None, patient=True):
            return None, held
        return self.told(ask, held), held

    async def fetched(self, ask: Ask, held: Held | None, lookup: Lookup | None) -> Told:
        """The providers' answer to a search for which nobody waits.

        Args:
            ask: the search.
            held: what the cache holds of it, too old to be its answer.
            lookup: how a provider is asked, if not as by any other search.

        Raises:
            MeshError: as in `answer`.
        """
        asking = self._panel_for(patient=True, lookup=lookup)
        found = await self._answering.fetch(
            ask.key, ask.wishes, held, lambda left_s: self._made(ask.query, asking, left_s), patient=True
        )
        return self.told(ask, found)

    async def joined(self, ask: Ask) -> Told | None:
        """The answer to a search that is being made already; None where none comes."""
        held = await self._answering.joined(ask.key)
        return None if held is None else self.told(ask, held)

    def is_under_way(self, key: str) -> bool:
        """Whether the providers are being asked for the answer of a key."""
        return self._answering.is_under_way(key)

    def _panel_for(self, *, patient: bool, lookup: Lookup | None) -> Asking:
        return lambda query, left_s: self._panel.ask(query, patient=patient, left_s=left_s, lookup=lookup)

    def told(self, ask: Ask, held: Held) -> Told:
        """What the cache holds, as the answer to a search."""
        return told(
            held,
            ask.key,
            self._clock(),
            stop=ask.max_results,
            own_part=ask.own_part,
            provenance_number=SEARCH_PROVENANCE,
        )

    async def _made(self, query: Query, asking: Asking, left_s: float | None) -> Made:
        return made_of(query, await asking(query, left_s))


def made_of(query: Query, answers: Sequence[Answer]) -> Made:
    """The answer to a search, out of what each provider did for it.

    Raises:
        MeshError: as in `Search.answer`.
    """
    response = composed(query, answers)
    works, ends = packed(response.results)
    tags = tags_of(spoken_of(response.results))
    response.ClearField("results")
    return Made(works=works, ends=ends, rest=rest_of(response), tags=tags, is_partial=response.partial)


def spoken_of(works: Sequence[Work]) -> Sequence[tuple[str, str]]:
    """What some works speak of, by which their answers can be purged: authors and ISBNs."""
    return [
        *(("author", name_key(author.name)) for work in works for author in work.authors),
        *(("isbn", edition.isbn_13) for work in works for edition in work.editions if edition.isbn_13),
    ]
