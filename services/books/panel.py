"""Panel: the only place that decides whom a search asks, how long each is waited for, and who was not needed.

A text is asked of all providers side by side. An ISBN is asked of the first, for a complete record needs no second
opinion; the others follow where that one fails, has less or takes its time. Work that nobody waits for asks one
provider alone, so that warming does not eat the small quotas, even where that one finds nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_TIMEOUT

from mesh.call import CURRENT, Clock
from mesh.status import MeshError, UnavailableError
from services.books.answers import Answer
from services.books.providers.protocol import BulkProvider, Found, Provider
from services.books.query import Query

PATIENT_S = 30.0
"""Seconds that a provider has when nobody waits; much of it goes by in the queue that a plan's rate makes."""

PATIENT_PLACES = 8
"""Searches that nobody waits for whose providers are asked at a time, so that each is through the queue in PATIENT_S
even where a provider allows one call a second."""

RESERVE_S = 0.05
"""Seconds of a caller's time that are kept to put its answer together and send it."""

Sleep = Callable[[float], Awaitable[object]]
"""Waits for seconds."""

Lookup = Callable[[Provider], Awaitable[Found] | None]
"""Asks a provider in another way than `find`, for work that nobody waits for; None where it can't be asked so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whom to ask, and how long to wait."""

    order: tuple[str, ...]
    """Whom searches may ask, the most trusted first."""
    batch_order: tuple[str, ...]
    """Whom work may ask that nobody waits for: the first of them that is set up."""
    wait_s: float
    """Seconds that a search waits for the others once one has found something."""
    head_start_s: float
    """Seconds that the first has for an ISBN before the others are asked as well."""


class Panel:
    """The providers, asked together.

    Args:
        providers: by name; the policy names no other.
        policy: whom to ask, and how long to wait.
        clock: seconds, never going back.
        sleep: waits for seconds on that clock.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        policy: Policy,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._providers = [providers[name] for name in policy.order]
        self._batch = [providers[name] for name in policy.batch_order]
        self._skipped = {name: Answer(provider=name) for name in policy.order}
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._places = asyncio.Semaphore(PATIENT_PLACES)

    async def ask(
        self, query: Query, *, patient: bool, left_s: float | None = None, lookup: Lookup | None = None
    ) -> Sequence[Answer]:
        """What each provider did for a search, in the order of trust; it never fails.

        Who is cancelled here cancels what was begun.

        Args:
            query: what is sought.
            patient: nobody waits for the answer.
            left_s: seconds that whoever waits has left; of the call being answered when None.
            lookup: asks a provider for it in place of `find`, if it can be asked so; for patient work.
        """
        if patient:
            answers = await self._in_turn(query, lookup)
        else:
            called = CURRENT.get()
            left_s = called.time_remaining() if left_s is None and called is not None else left_s
            limit_s = None if left_s is None else max(0.0, left_s - RESERVE_S)
            answers = await _Round(self._providers, query, self._policy, limit_s, self._clock, self._sleep).run()
        return self._all(answers)

    async def ask_isbns(self, isbns: Sequence[str]) -> Callable[[str], Sequence[Answer]] | None:
        """What tells of each of many ISBNs for which nobody waits what each provider did for it, as `ask` does.

        None where whoever is to be asked can't look many up at once: then each is asked for by itself.

        Args:
            isbns: at most 1,000 ISBN-13s, each once.
        """
        unset: list[Answer] = []
        for provider in self._batch:
            if not isinstance(provider, BulkProvider):
                return None
            started = self._clock()
            try:
                found = await provider.find_isbns(isbns, limit_s=PATIENT_S)
            except MeshError as error:
                answer = Answer(provider=provider.name, error=error, duration_ms=(self._clock() - started) * 1000)
                if not answer.unset:
                    return partial(self._of_each, unset, answer, {})
                unset.append(answer)
            else:
                answer = Answer(provider=provider.name, duration_ms=(self._clock() - started) * 1000)
                return partial(self._of_each, unset, answer, found)
        return lambda _: self._all(unset)

    def _of_each(
        self, unset: Sequence[Answer], answer: Answer, found: Mapping[str, Found], isbn: str
    ) -> Sequence[Answer]:
        """What came of one of many, made when it is asked for: there are a thousand, and others need the loop."""
        return self._all([*unset, replace(answer, found=found.get(isbn))])

    def _all(self, answers: Sequence[Answer]) -> Sequence[Answer]:
        """One answer of each provider, in the order of trust; those that were not asked were not needed."""
        told = dict(self._skipped)
        for answer in answers:
            told[answer.provider] = answer
        return list(told.values())

    async def _in_turn(self, query: Query, lookup: Lookup | None) -> list[Answer]:
        """Asks one provider; another only where that one is not set up at all."""
        answers: list[Answer] = []
        for provider in self._batch:
            async with self._places:
                found = None if lookup is None else lookup(provider)
                found = found or provider.find(query, limit_s=PATIENT_S, batch=True)
                answers.append(await _answer(provider, found, self._clock))
            if not answers[-1].unset:
                break
        return answers


class _Round:
    """One search that somebody waits for.

    Args:
        providers: whom it may ask, the most trusted first.
        query: what is sought.
        policy: how long to wait for each.
        limit_s: seconds that it may take once somebody has answered; None leaves that to the providers.
        clock: seconds, never going back.
        sleep: waits for seconds on that clock.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        query: Query,
        policy: Policy,
        limit_s: float | None,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._waiting = list(providers)
        self._query = query
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._ends_at = None if limit_s is None else self._started + limit_s
        self._asked: dict[asyncio.Task[Answer], str] = {}
        self._answers: list[Answer] = []

    async def run(self) -> list[Answer]:
        """What those answered, or not, who were asked."""
        try:
            if self._query.isbn13:
                await self._ask_first()
            if not self._is_settled():
                self._begin(len(self._waiting))
                await self._gather()
            self._give_up()
            return self._answers
        finally:
            left = list(self._asked)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _ask_first(self) -> None:
        """Gives the first provider that is set up its head start."""
        while self._waiting:
            self._begin(1)
            arrived = await self._wait(self._clock() + self._policy.head_start_s)
            if not (arrived and self._answers[-1].unset):
                return

    async def _gather(self) -> None:
        """Waits for the rest: once one has found something not for long, and never past the end."""
        found_at: float | None = None
        while self._asked and not self._is_settled():
            if found_at is None and any(answer.found and answer.found.works for answer in self._answers):
                found_at = self._clock()
            if not await self._wait(None if found_at is None else found_at + self._policy.wait_s):
                return

    async def _wait(self, until: float | None) -> bool:
        """Waits for the next answers; whether some came before `until` and the end.

        Where nobody has answered yet there is no end: who is out of time leaves, and others may wait for the same.
        """
        has_answer = any(answer.found is not None for answer in self._answers)
        ends = [end for end in (until, self._ends_at if has_answer else None) if end is not None]
        timer = asyncio.ensure_future(self._sleep_until(min(ends))) if ends else None
        try:
            waited = {*self._asked, *([timer] if timer else [])}
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if timer is not None:
                timer.cancel()
        arrived = [task for task in self._asked if task in done]
        for task in arrived:
            del self._asked[task]
            self._answers.append(task.result())
        return bool(arrived)

    async def _sleep_until(self, end: float) -> None:
        # Timers may fire a little early.
        while (left_s := end - self._clock()) > 0:
            await self._sleep(left_s)

    def _begin(self, count: int) -> None:
        """Asks the next providers."""
        for provider in self._waiting[:count]:
            found = provider.find(self._query)
            self._asked[asyncio.ensure_future(_answer(provider, found, self._clock))] = provider.name
        del self._waiting[:count]

    def _give_up(self) -> None:
        """Names those who have not answered, unless nothing of theirs is needed."""
        if self._is_settled():
            return
        for name in self._asked.values():
            error = UnavailableError(
                ERROR_REASON_PROVIDER_TIMEOUT,
                f"{name} was not heard in the time that this search had for it",
                metadata={"provider": name},
            )
            waited_ms = (self._clock() - self._started) * 1000
            self._answers.append(Answer(provider=name, error=error, duration_ms=waited_ms))

    def _is_settled(self) -> bool:
        """Whether one has given the complete record of the ISBN."""
        isbn13 = self._query.isbn13
        return bool(isbn13) and any(answer.found and is_complete(answer.found, isbn13) for answer in self._answers)


def is_complete(found: Found, isbn13: str) -> bool:
    """Whether the record of an ISBN leaves nothing open that another provider might know."""
    return any(
        work.title
        and work.authors
        and edition.isbn_13 == isbn13
        and edition.publisher
        and edition.publication_date
        and edition.page_count
        and edition.language
        for work in found.works
        for edition in work.editions
    )


async def _answer(provider: Provider, finding: Awaitable[Found], clock: Clock) -> Answer:
    started = clock()
    try:
        found = await finding
    except MeshError as error:
        return Answer(provider=provider.name, error=error, duration_ms=(clock() - started) * 1000)
    return Answer(provider=provider.name, found=found, duration_ms=(clock() - started) * 1000)
