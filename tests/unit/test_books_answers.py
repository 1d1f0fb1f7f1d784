import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1 import error_reason_pb2 as reasons

from mesh.status import (
    DeadlineExceededError,
    FailedPreconditionError,
    MeshError,
    ResourceExhaustedError,
    UnavailableError,
)
from services.books.answers import Answer, composed, failure, outcome
from services.books.providers.protocol import Found
from services.books.query import parse
from tests.unit.books_house import DUNE, MESSIAH, work

DOWN = UnavailableError(reasons.ERROR_REASON_PROVIDER_UNAVAILABLE, "down", retry_after_s=9)
SPENT = ResourceExhaustedError(reasons.ERROR_REASON_QUOTA_SPENT, "spent", retry_after_s=60)
UNSET = FailedPreconditionError(reasons.ERROR_REASON_SECRET_MISSING, "no key")
LIMITED = ResourceExhaustedError(reasons.ERROR_REASON_PROVIDER_RATE_LIMITED, "slower", retry_after_s=2)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (DOWN, pb.PROVIDER_STATE_FAILED),
        (LIMITED, pb.PROVIDER_STATE_FAILED),
        (SPENT, pb.PROVIDER_STATE_REFUSED),
        (FailedPreconditionError(reasons.ERROR_REASON_SECRET_MISSING, "no key"), pb.PROVIDER_STATE_REFUSED),
        (UnavailableError(reasons.ERROR_REASON_CIRCUIT_OPEN, "open"), pb.PROVIDER_STATE_REFUSED),
        (UnavailableError(reasons.ERROR_REASON_PROVIDER_TIMEOUT, "slow"), pb.PROVIDER_STATE_TIMED_OUT),
        (DeadlineExceededError(reasons.ERROR_REASON_DEADLINE_EXCEEDED, "slow"), pb.PROVIDER_STATE_TIMED_OUT),
    ],
)
def test_failed_provider(error: MeshError, state: pb.ProviderState.ValueType) -> None:
    """A provider that gave nothing is told of by what kept it from answering."""
    told = outcome(Answer(provider="isbndb", error=error))
    assert (state, error.reason) == (told.state, told.reason)


def test_edition_that_came_twice_counts_once() -> None:
    """A provider that gave one edition for the title and again for the name gave one."""
    found = Found(works=[work("Dune", "Frank Herbert", isbns=[DUNE, ""]), work("Dune", "Frank Herbert", isbns=[DUNE])])
    assert outcome(Answer(provider="isbndb", found=found)).edition_count == 2


def test_empty_provider() -> None:
    """A provider that has nothing is no failed one."""
    told = outcome(Answer(provider="isbndb", found=Found(call_count=1), duration_ms=2.5))
    assert told == pb.ProviderOutcome(provider="isbndb", state=pb.PROVIDER_STATE_EMPTY, call_count=1, duration_ms=2.5)


@pytest.mark.parametrize(
    ("errors", "reason", "retry_after_s"),
    [
        ([DOWN], "ALL_PROVIDERS_FAILED", 9),
        ([DOWN, LIMITED], "ALL_PROVIDERS_FAILED", 2),
        ([SPENT], "QUOTA_SPENT", 60),
        ([SPENT, LIMITED], "PROVIDER_RATE_LIMITED", 2),
    ],
)
def test_failure(errors: list[MeshError], reason: str, retry_after_s: float) -> None:
    """When nobody answered, the failure says why, and when another try may help."""
    found = failure([Answer(provider=f"p{at}", error=error) for at, error in enumerate(errors)])
    assert (reason, retry_after_s) == (found.reason, found.retry_after_s)


def test_providers_are_merged() -> None:
    """What several providers gave is one list of works."""
    answers = [
        Answer(provider="isbndb", found=Found(works=[work("Dune", "Frank Herbert", isbns=[DUNE])])),
        Answer(provider="open_library", found=Found(works=[work("Dune", "Frank Herbert", isbns=[DUNE, MESSIAH])])),
    ]
    found = composed(parse("dune"), answers)
    assert [[edition.isbn_13 for edition in each.editions] for each in found.results] == [[DUNE, MESSIAH]]


def test_one_failed_provider_makes_an_answer_partial() -> None:
    """When one provider failed and another has nothing, the answer is empty, and says that there may be more."""
    answers = [Answer(provider="isbndb", error=DOWN), Answer(provider="open_library", found=Found())]
    found = composed(parse("dune"), answers)
    assert (list(found.results), found.partial) == ([], True)


def test_a_hundred_works_are_kept() -> None:
    """An answer keeps as many works as anybody can ask for."""
    works = [work(f"Dune {at}", "Frank Herbert", isbns=[str(at)]) for at in range(150)]
    assert len(composed(parse("dune"), [Answer(provider="isbndb", found=Found(works=works))]).results) == 100


def test_skipped_provider_is_named_and_owes_nothing() -> None:
    """A provider that was not needed is told of as such, and the answer is whole without it."""
    answers = [
        Answer(provider="isbndb", found=Found(works=[work("Dune", "Frank Herbert", isbns=[DUNE])])),
        Answer(provider="open_library"),
    ]
    found = composed(parse("dune"), answers)
    assert [each.state for each in found.providers] == [pb.PROVIDER_STATE_ANSWERED, pb.PROVIDER_STATE_SKIPPED]
    assert not found.partial


def test_provider_that_is_not_set_up_owes_nothing() -> None:
    """Whoever has no key was not expected to answer, so that an answer without it is not partial for ever."""
    found = composed(
        parse("dune"), [Answer(provider="isbndb", error=UNSET), Answer(provider="open_library", found=Found())]
    )
    assert [(each.reason, each.state) for each in found.providers] == [
        ("SECRET_MISSING", pb.PROVIDER_STATE_REFUSED),
        ("", pb.PROVIDER_STATE_EMPTY),
    ]
    assert not found.partial


@pytest.mark.parametrize(
    ("errors", "reason", "names"),
    [
        ([UNSET, SPENT], "QUOTA_SPENT", None),
        ([UNSET, DOWN], "ALL_PROVIDERS_FAILED", "p1"),
        ([UNSET], "ALL_PROVIDERS_FAILED", "p0"),
    ],
)
def test_failure_is_that_of_those_who_are_set_up(errors: list[MeshError], reason: str, names: str | None) -> None:
    """Whoever has no key or was not needed has no say in why nobody answered, unless nobody else is there."""
    answers = [Answer(provider=f"p{at}", error=error) for at, error in enumerate(errors)]
    found = failure([*answers, Answer(provider="skipped")])
    assert (reason, names) == (found.reason, found.metadata.get("providers"))


def test_edition_that_is_asked_for_comes_first() -> None:
    """Who asks for an ISBN gets its work first, and its edition before fuller ones of the same work."""
    fuller = work("Dune", "Frank Herbert", isbns=[MESSIAH, DUNE], year=1965)
    fuller.editions[0].publisher = "Ace"
    found = Found(works=[work("Dune Studies", "Somebody Else", isbns=["9780306406157"]), fuller])
    response = composed(parse(DUNE), [Answer(provider="isbndb", found=found)])
    assert [edition.isbn_13 for edition in response.results[0].editions] == [DUNE, MESSIAH]
