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
from services.warmer.asking import TRIES, Asker
from services.warmer.outcome import BatchRecord, Outcome, Settled
from services.warmer.plan import Search, SearchKind
from tests.unit.warmer_house import DUNE, EMMA, UNKNOWN, House

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
    asker = Asker(in_process(BooksServiceStub, house.books), sleep=house.sleep)
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


async def test_first_time() -> None:
    """What the providers answer is warmed, and what they have nothing of is not found."""
    record = await asked(House())
    assert outcomes(record) == [Outcome.WARMED, Outcome.WARMED, Outcome.NOT_FOUND, Outcome.WARMED]


async def test_second_time() -> None:
    """What the proxy knows is fresh and costs nothing."""
    house = House()
    await asked(house)
    record = await asked(house)
    assert (outcomes(record), record.calls) == ([Outcome.FRESH, Outcome.FRESH, Outcome.NOT_FOUND, Outcome.FRESH], 0)


async def test_calls_are_those_of_the_providers() -> None:
    """The calls counted are the calls made."""
    house = House()
    record = await asked(house)
    assert (house.books.call_count, record.calls) == (3, 3)


async def test_two_spellings_of_one_key_cost_once() -> None:
    """Texts of a batch that share an answer share its cost."""
    house = House()
    searches = [Search(SearchKind.AUTHOR, AUSTEN), Search(SearchKind.AUTHOR, AUSTEN.upper())]
    record = await asked(house, searches)
    assert (house.books.call_count, record.calls) == (2, 2)


async def test_answers_to_nothing_that_was_asked() -> None:
    """An answer that names no search of the batch settles none."""
    house = House()
    house.books.strays = [4, -1, 1_000]
    assert outcomes(await asked(house)) == [Outcome.WARMED, Outcome.WARMED, Outcome.NOT_FOUND, Outcome.WARMED]


async def test_a_call_that_breaks_off() -> None:
    """What came before a call broke off counts once, and the rest is asked for soon: there was progress."""
    house = House()
    house.books.breaks = [1, 1, 1]
    record = await asked(house)
    assert (len(house.books.asked), record.tally().settled, house.slept) == (4, 4, [1.0, 1.0, 1.0])


async def test_only_these_places() -> None:
    """Searches that are settled already are not asked for again."""
    house = House()
    record = await asked(house, places=[1, 3])
    assert (house.books.asked, record.pending()) == ([EMMA, AUSTEN], [0, 2])


async def test_marked_as_batch() -> None:
    """The proxy is told that nobody waits."""
    house = House()
    await asked(house)
    assert ("x-bookmesh-class", "batch") in house.books.metadata


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
async def test_passing_trouble_is_tried_again(code: str) -> None:
    """A search whose provider was away for a moment is warmed in the end, and nothing else is asked for again."""
    house = House()
    house.books.errors = {AUSTEN: [error(code, "PROVIDER_UNAVAILABLE")] * 2}
    record = await asked(house)
    assert (why(record, 3), house.books.asked) == ((Outcome.WARMED, ""), [DUNE, EMMA, UNKNOWN, AUSTEN, AUSTEN, AUSTEN])


async def test_waits_grow() -> None:
    """Each try more waits twice as long."""
    house = House()
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "PROVIDER_UNAVAILABLE")] * 3}
    await asked(house)
    assert house.slept == [1.0, 2.0, 4.0]


async def test_retries_are_counted() -> None:
    """The number of searches tried again is told."""
    house = House()
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "X")] * 2, EMMA: [error("UNAVAILABLE", "X")]}
    assert (await asked(house)).retries == 3


async def test_lasting_trouble_is_parked() -> None:
    """A search that fails as often as makes sense is parked, with the reason of its last failure."""
    house = House()
    house.books.errors = {AUSTEN: [error("UNAVAILABLE", "ALL_PROVIDERS_FAILED")] * 99}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN)) == ((Outcome.PARKED, "ALL_PROVIDERS_FAILED"), TRIES)


async def test_a_spent_quota_is_parked_at_once() -> None:
    """What lasts until tomorrow is not tried again today."""
    house = House()
    house.books.errors = {AUSTEN: [error("RESOURCE_EXHAUSTED", "QUOTA_SPENT")] * 99}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN)) == ((Outcome.PARKED, "QUOTA_SPENT"), 1)


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "FAILED_PRECONDITION", "INTERNAL", "NOT_FOUND"])
async def test_what_no_try_mends_has_failed(code: str) -> None:
    """A search that can't be asked for as it stands has failed, with its reason, at once."""
    house = House()
    house.books.errors = {AUSTEN: [error(code, "EMPTY_QUERY")] * 99}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN)) == ((Outcome.FAILED, "EMPTY_QUERY"), 1)


async def test_a_partial_answer_is_asked_for_anew() -> None:
    """An answer that is kept for a minute only is no warm one: the providers are asked again, and each call counts."""
    house = House()
    house.books.partial = {AUSTEN: 1}
    record = await asked(house)
    assert (why(record, 3), house.books.asked.count(AUSTEN), record.calls) == ((Outcome.WARMED, ""), 2, 5)


async def test_an_answer_that_stays_partial_is_parked() -> None:
    """A search whose provider keeps silent is parked."""
    house = House()
    house.books.partial = {AUSTEN: 99}
    assert why(await asked(house), 3) == (Outcome.PARKED, "PARTIAL_ANSWER")


async def test_a_stale_answer_is_not_fresh() -> None:
    """An answer past its time says that the providers fail, so its search is tried again and then parked."""
    house = House()
    await asked(house)
    house.books.stale = {AUSTEN}
    assert why(await asked(house), 3) == (Outcome.PARKED, "STALE_ANSWER")


UNREACHABLE = [
    UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there"),
    ResourceExhaustedError(ERROR_REASON_OVERLOADED, "too much"),
]


@pytest.mark.parametrize("refusal", UNREACHABLE)
async def test_an_unreachable_proxy_is_waited_for(refusal: MeshError) -> None:
    """However long the proxy is away, no search pays for it."""
    house = House()
    house.books.refusals = [refusal] * 50
    record = await asked(house)
    assert (outcomes(record)[0], record.retries) == (Outcome.WARMED, 0)


async def test_waits_for_the_proxy_have_a_limit() -> None:
    """The proxy is looked for at least twice a minute."""
    house = House()
    house.books.refusals = [UNREACHABLE[0]] * 10
    await asked(house)
    assert house.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


async def test_a_breaker_says_how_long() -> None:
    """An open breaker is waited out, not hammered on."""
    house = House()
    house.books.refusals = [UnavailableError(ERROR_REASON_CIRCUIT_OPEN, "open", retry_after_s=42.0)]
    await asked(house)
    assert house.slept == [42.0]


async def test_a_refused_batch_has_failed() -> None:
    """What the proxy refuses as a whole is refused for each of its searches, with the reason."""
    house = House()
    house.books.refusals = [InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "no")] * 99
    assert [why(await asked(house), at) for at in range(4)] == [(Outcome.FAILED, "INVALID_FIELD")] * 4


async def test_a_broken_proxy_has_failed() -> None:
    """A proxy that breaks on a batch is not asked to break on it for ever."""
    house = House()
    house.books.refusals = [InternalError(ERROR_REASON_INTERNAL, "broke")] * 99
    assert why(await asked(house), 0) == (Outcome.FAILED, "INTERNAL")
