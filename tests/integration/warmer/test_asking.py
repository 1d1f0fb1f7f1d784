"""Asking the proxy until each search is settled."""

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CIRCUIT_OPEN,
    ERROR_REASON_INTERNAL,
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_OVERLOADED,
    ERROR_REASON_SERVICE_UNREACHABLE,
)

from mesh.status import InternalError, InvalidArgumentError, MeshError, ResourceExhaustedError, UnavailableError
from mesh.testing import in_process
from mesh.turns import Turns
from services.warmer.jobs.asking import TRIES, Asker, QuotaSpentError
from services.warmer.jobs.outcome import BatchRecord, Outcome, Settled
from services.warmer.plan.searches import Search, SearchKind
from tests.integration.warmer.house import DUNE, EMMA, House
from tests.integration.warmer.neighbours import UNKNOWN

AUSTEN = "Jane Austen"

SEARCHES = [
    Search(SearchKind.ISBN, DUNE),
    Search(SearchKind.ISBN, EMMA),
    Search(SearchKind.ISBN, UNKNOWN),
    Search(SearchKind.AUTHOR, AUSTEN),
]


class Listener:
    """Keeps what it is told."""

    def __init__(self, record: BatchRecord) -> None:
        self.record = record

    def settle(self, place: int, settled: Settled) -> None:
        """Keeps it."""
        self.record.settle(place, settled)

    def spend(self, calls: int) -> None:
        """Keeps it."""
        self.record.calls += calls

    def retry(self, count: int) -> None:
        """Keeps it."""
        self.record.retries += count


async def asked(house: House, searches: list[Search] = SEARCHES, places: list[int] | None = None) -> BatchRecord:
    """What became of a batch."""
    record = BatchRecord(len(searches))
    asker = Asker(in_process(BooksServiceStub, house.books), Turns(), sleep=house.sleep)
    await asker.ask(searches, record.pending() if places is None else places, Listener(record))
    return record


def outcomes(record: BatchRecord) -> list[Outcome | None]:
    """What became of each search."""
    return [found.outcome if (found := record.get(at)) else None for at in range(record.size)]


def why(record: BatchRecord, place: int) -> tuple[Outcome, str]:
    """What became of a search, and why."""
    found = record.get(place)
    assert found is not None
    return found.outcome, found.reason


def error(code: str, reason: str) -> CallError:
    """A failure of one search."""
    return CallError(code=code, reason=reason, message=f"{reason} it was")


async def test_first_time(house: House) -> None:
    """What the providers answer is warmed, and what they have nothing of is not found."""
    record = await asked(house)
    assert outcomes(record) == [Outcome.WARMED, Outcome.WARMED, Outcome.NOT_FOUND, Outcome.WARMED]


async def test_second_time(house: House) -> None:
    """What the proxy knows is fresh and costs nothing."""
    await asked(house)
    record = await asked(house)
    assert (outcomes(record), record.calls) == ([Outcome.FRESH, Outcome.FRESH, Outcome.NOT_FOUND, Outcome.FRESH], 0)


async def test_calls_are_those_of_the_providers(house: House) -> None:
    """The calls counted are the calls made."""
    record = await asked(house)
    assert (house.books.call_count, record.calls) == (3, 3)


async def test_two_spellings_of_one_key_cost_once(house: House) -> None:
    """Texts of a batch that share an answer share its cost."""
    searches = [Search(SearchKind.AUTHOR, AUSTEN), Search(SearchKind.AUTHOR, AUSTEN.upper())]
    record = await asked(house, searches)
    assert (house.books.call_count, record.calls) == (2, 2)


async def test_answers_to_nothing_that_was_asked(house: House) -> None:
    """An answer that names no search of the batch settles none."""
    house.books.strays = [4, -1, 1_000]
    assert outcomes(await asked(house)) == [Outcome.WARMED, Outcome.WARMED, Outcome.NOT_FOUND, Outcome.WARMED]


async def test_a_call_that_breaks_off(house: House) -> None:
    """What came before a call broke off counts once, and the rest is asked for soon: there was progress."""
    house.books.breaks = [1, 1, 1]
    record = await asked(house)
    assert (len(house.books.asked), record.tally().settled, house.slept) == (4, 4, [1.0, 1.0, 1.0])


async def test_only_these_places(house: House) -> None:
    """Searches that are settled already are not asked for again."""
    record = await asked(house, places=[1, 3])
    assert (house.books.asked, record.pending()) == ([EMMA, AUSTEN], [0, 2])


async def test_marked_as_batch(house: House) -> None:
    """The proxy is told that nobody waits."""
    await asked(house)
    assert ("x-bookmesh-class", "batch") in house.books.metadata


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
async def test_passing_trouble_is_tried_again(house: House, code: str) -> None:
    """A search whose provider was away for a moment is warmed in the end, and nothing else is asked for again."""
    house.books.errors = {AUSTEN: [error(code, "PROVIDER_UNAVAILABLE")] * 2}
    record = await asked(house)
    assert (why(record, 3), house.books.asked) == ((Outcome.WARMED, ""), [DUNE, EMMA, UNKNOWN, AUSTEN, AUSTEN, AUSTEN])


async def test_waits_grow(house: House) -> None:
    """Each try more waits twice as long."""
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "PROVIDER_UNAVAILABLE")] * 3}
    await asked(house)
    assert house.slept == [1.0, 2.0, 4.0]


async def test_retries_are_counted(house: House) -> None:
    """The number of searches tried again is told."""
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "X")] * 2, EMMA: [error("UNAVAILABLE", "X")]}
    assert (await asked(house)).retries == 3


async def test_lasting_trouble_is_parked(house: House) -> None:
    """A search that fails as often as makes sense is parked, with the reason of its last failure."""
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "ALL_PROVIDERS_FAILED")] * 99}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN)) == ((Outcome.PARKED, "ALL_PROVIDERS_FAILED"), TRIES)


async def test_a_spent_quota_is_waited_for(house: House) -> None:
    """What lasts until tomorrow is not tried again today: the rest of the batch waits for as long as it is told."""
    spent = error("RESOURCE_EXHAUSTED", "QUOTA_SPENT")
    spent.metadata["retry_after_ms"] = "90000"
    house.books.errors = {AUSTEN: [spent] * 99}
    record = BatchRecord(len(SEARCHES))
    asker = Asker(in_process(BooksServiceStub, house.books), Turns(), sleep=house.sleep)
    with pytest.raises(QuotaSpentError) as caught:
        await asker.ask(SEARCHES, record.pending(), Listener(record))
    assert (caught.value.retry_after_s, record.pending(), house.books.asked.count(AUSTEN)) == (90.0, [3], 1)


async def test_how_fresh_answers_must_stay(house: House) -> None:
    """The proxy is told how long an answer must stay fresh to be none that is asked for anew."""
    record = BatchRecord(len(SEARCHES))
    asker = Asker(in_process(BooksServiceStub, house.books), Turns(), sleep=house.sleep)
    await asker.ask(SEARCHES, record.pending(), Listener(record), min_fresh_s=86_400.0)
    assert house.books.min_fresh == [86_400]


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "FAILED_PRECONDITION", "INTERNAL", "NOT_FOUND"])
async def test_what_no_try_mends_has_failed(house: House, code: str) -> None:
    """A search that can't be asked for as it stands has failed, with its reason, at once."""
    house.books.errors = {AUSTEN: [error(code, "EMPTY_QUERY")] * 99}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN)) == ((Outcome.FAILED, "EMPTY_QUERY"), 1)


async def test_a_partial_answer_is_asked_for_anew(house: House) -> None:
    """An answer that is kept for a minute only is no warm one: the providers are asked again, and each call counts."""
    house.books.partial = {AUSTEN: 1}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN), record.calls) == ((Outcome.WARMED, ""), 2, 5)


async def test_an_answer_that_stays_partial_is_parked(house: House) -> None:
    """A search whose provider keeps silent is parked."""
    house.books.partial = {AUSTEN: 99}
    assert why(await asked(house), 3) == (Outcome.PARKED, "PARTIAL_ANSWER")


async def test_a_stale_answer_is_not_fresh(house: House) -> None:
    """An answer past its time says that the providers fail, so its search is tried again and then parked."""
    await asked(house)
    house.books.stale = {AUSTEN}
    assert why(await asked(house), 3) == (Outcome.PARKED, "STALE_ANSWER")


UNREACHABLE = [
    UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there"),
    ResourceExhaustedError(ERROR_REASON_OVERLOADED, "too much"),
]


@pytest.mark.parametrize("refusal", UNREACHABLE)
async def test_an_unreachable_proxy_is_waited_for(house: House, refusal: MeshError) -> None:
    """However long the proxy is away, no search pays for it."""
    house.books.refusals = [refusal] * 50
    record = await asked(house)
    assert (outcomes(record)[0], record.retries) == (Outcome.WARMED, 0)


async def test_waits_for_the_proxy_have_a_limit(house: House) -> None:
    """The proxy is looked for at least twice a minute."""
    house.books.refusals = [UNREACHABLE[0]] * 10
    await asked(house)
    assert house.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


async def test_a_breaker_says_how_long(house: House) -> None:
    """An open breaker is waited out, not hammered on."""
    house.books.refusals = [UnavailableError(ERROR_REASON_CIRCUIT_OPEN, "open", retry_after_s=42.0)]
    await asked(house)
    assert house.slept == [42.0]


async def test_a_refused_batch_has_failed(house: House) -> None:
    """What the proxy refuses as a whole is refused for each of its searches, with the reason."""
    house.books.refusals = [InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "no")] * 99
    assert [why(await asked(house), at) for at in range(4)] == [(Outcome.FAILED, "INVALID_FIELD")] * 4


async def test_a_broken_proxy_has_failed(house: House) -> None:
    """A proxy that breaks on a batch is not asked to break on it for ever."""
    house.books.refusals = [InternalError(ERROR_REASON_INTERNAL, "broke")] * 99
    assert why(await asked(house), 0) == (Outcome.FAILED, "INTERNAL")
