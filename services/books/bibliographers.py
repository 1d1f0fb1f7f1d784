"""Bibliographers: the only place that decides whom an author's works are asked of, and how long each is waited for.

A list is of use when it is whole. So all providers are asked side by side, and each is waited for until the time is
over; work that nobody waits for asks one provider alone, as a search does.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from mesh.call import Clock
from mesh.status import MeshError
from services.books.answers import Answer
from services.books.panel import PATIENT_PLACES, RESERVE_S
from services.books.providers.protocol import Bibliographer

LIVE_S = 9.0
"""Seconds that a provider has at most while somebody waits: within the ten of a call that names no deadline."""

PATIENT_S = 60.0
"""The same when nobody waits: twenty pages at the slowest plan's rate, and their turns in its queue."""


class Bibliographers:
    """The providers that list an author's works.

    Args:
        providers: by name, the most trusted first.
        batch_order: whom work may ask that nobody waits for: the first of them that is set up.
        clock: seconds, never going back.
    """

    def __init__(
        self, providers: Mapping[str, Bibliographer], batch_order: Sequence[str], *, clock: Clock = time.monotonic
    ) -> None:
        self._providers = tuple(providers.values())
        self._batch = [providers[name] for name in batch_order if name in providers]
        self._clock = clock
        self._places = asyncio.Semaphore(PATIENT_PLACES)

    async def ask(self, author: str, language: str, *, patient: bool, left_s: float | None = None) -> Sequence[Answer]:
        """What each provider did, the most trusted first; it never fails.

        Args:
            author: the name, first name first.
            language: a primary subtag.
            patient: nobody waits for the answer.
            left_s: seconds that whoever waits has left; None is no limit of theirs.
        """
        if patient:
            answers = await self._in_turn(author, language)
        else:
            limit_s = LIVE_S if left_s is None else max(0.0, min(LIVE_S, left_s - RESERVE_S))
            answers = await asyncio.gather(
                *(self._answer(each, author, language, limit_s, batch=False) for each in self._providers)
            )
        by_name = {answer.provider: answer for answer in answers}
        return [by_name.get(each.name) or Answer(provider=each.name) for each in self._providers]

    async def _in_turn(self, author: str, language: str) -> list[Answer]:
        """Asks one provider; another only where that one is not set up at all."""
        answers: list[Answer] = []
        for provider in self._batch:
            async with self._places:
                answers.append(await self._answer(provider, author, language, PATIENT_S, batch=True))
            if not answers[-1].unset:
                break
        return answers

    async def _answer(
        self, provider: Bibliographer, author: str, language: str, limit_s: float, *, batch: bool
    ) -> Answer:
        started = self._clock()
        try:
            found = await provider.bibliography(author, language=language, limit_s=limit_s, batch=batch)
        except MeshError as error:
            return Answer(provider=provider.name, error=error, duration_ms=(self._clock() - started) * 1000)
        return Answer(provider=provider.name, found=found, duration_ms=(self._clock() - started) * 1000)
