"""The only place that makes one answer, or one failure, out of what the providers did for a search. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_ALL_PROVIDERS_FAILED

from mesh.status import DeadlineExceededError, MeshError, ResourceExhaustedError, UnavailableError
from services.books.merge import in_language, isbn_first, merged
from services.books.providers.protocol import Found
from services.books.query import OrderBy, Query
from services.books.ranking import understood
from services.books.reading import reading_of
from services.books.settings import MAX_RESULTS

_TIMED_OUT = {"PROVIDER_TIMEOUT", "DEADLINE_EXCEEDED"}
SECRET_MISSING = "SECRET_MISSING"  # noqa: S105 - a word of ErrorReason
"""The reason of a provider that is not set up, or that serves nobody just now who brings no key."""

_NOT_ASKED = {"CIRCUIT_OPEN", "QUOTA_SPENT", SECRET_MISSING, "DEADLINE_TOO_SHORT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one provider did for a search: it answered, it failed, or, with neither, it was not needed."""

    provider: str
    """Its name."""
    found: Found | None = None
    """What it answered."""
    error: MeshError | None = None
    """What it failed with."""
    duration_ms: float = 0.0
    """How long it took."""

    @property
    def skipped(self) -> bool:
        """It was not needed."""
        return self.found is None and self.error is None

    @property
    def unset(self) -> bool:
        """It is not set up, so nobody expected it to answer."""
        return self.error is not None and self.error.reason == SECRET_MISSING

    @property
    def owing(self) -> bool:
        """It was expected to answer and did not, or not all of it, so that there may be more."""
        failed = self.error is not None and not self.unset
        return failed or (self.found is not None and self.found.failure is not None)


def composed(query: Query, answers: Sequence[Answer]) -> pb.SearchAutoResponse:
    """The whole answer to a search, with as many works as are ever given, and without provenance.

    Args:
        query: what was sought.
        answers: one for each provider, the most trusted first.

    Raises:
        ResourceExhaustedError: each provider refused for its quota or rate.
        UnavailableError: ALL_PROVIDERS_FAILED.
    """
    found = [answer.found for answer in answers if answer.found is not None]
    if not found:
        raise failure(answers)
    works = merged(work for each in found for work in each.works)
    if query.isbn13:
        # Who asks for an ISBN gets that book, whatever its language, and that edition before the others of its work.
        works = isbn_first(works, query.isbn13)
        interpretation = pb.QueryInterpretation(kind=pb.QUERY_KIND_ISBN)
    else:
        if not query.include_translations:
            works = in_language(works, query.language)
        interpretation, works = understood(reading_of(query.text), works)
        if query.order_by is OrderBy.NEWEST:
            works.sort(key=lambda work: -work.first_publication_year)
    return pb.SearchAutoResponse(
        results=works[:MAX_RESULTS],
        interpretation=interpretation,
        providers=[outcome(answer) for answer in answers],
        partial=any(answer.owing for answer in answers),
    )


def outcome(answer: Answer) -> pb.ProviderOutcome:
    """How it went with one provider, as the contract tells it."""
    error = answer.error or (answer.found.failure if answer.found else None)
    told = pb.ProviderOutcome(
        provider=answer.provider, duration_ms=answer.duration_ms, reason=error.reason if error else ""
    )
    if answer.found is not None:
        told.state = pb.PROVIDER_STATE_ANSWERED if answer.found.works else pb.PROVIDER_STATE_EMPTY
        # One that came as an answer to two questions is one all the same.
        isbns = [edition.isbn_13 for work in answer.found.works for edition in work.editions]
        told.edition_count = len(set(filter(None, isbns))) + isbns.count("")
        told.call_count = answer.found.call_count
    elif answer.skipped:
        told.state = pb.PROVIDER_STATE_SKIPPED
    elif isinstance(error, DeadlineExceededError) or told.reason in _TIMED_OUT:
        told.state = pb.PROVIDER_STATE_TIMED_OUT
    elif told.reason in _NOT_ASKED:
        told.state = pb.PROVIDER_STATE_REFUSED
    else:
        told.state = pb.PROVIDER_STATE_FAILED
    return told


def failure(answers: Sequence[Answer]) -> MeshError:
    """What a search fails with when no provider answered it. It is never "nothing found".

    A quota or rate that is used up is told as such, with the time of its end, for the caller can wait for it.
    """
    asked = [answer for answer in answers if not answer.skipped]
    # Whoever is not set up has no say where another one failed, but where nobody is set up that is what went wrong.
    asked = [answer for answer in asked if not answer.unset] or asked
    errors = [answer.error for answer in asked if answer.error is not None]
    waits = [error.retry_after_s for error in errors if error.retry_after_s is not None]
    retry_after_s = min(waits, default=None)
    if errors and all(isinstance(error, ResourceExhaustedError) for error in errors):
        soonest = min(errors, key=lambda error: error.retry_after_s or 0.0)
        return soonest.detached()
    names = ", ".join(answer.provider for answer in asked)
    reasons = ", ".join(error.reason for error in errors)
    failed = UnavailableError(
        ERROR_REASON_ALL_PROVIDERS_FAILED,
        f"no provider could answer ({names}: {reasons})",
        retry_after_s=retry_after_s,
        metadata={"providers": names, "reasons": reasons},
    )
    # The ways of all of them: whoever asked again for one of them need not be asked again for all.
    failed.trail = tuple(hop for error in errors for hop in error.trail)
    return failed
