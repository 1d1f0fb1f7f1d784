"""What the contract demands of requests, case by case: the reason, and the field at fault."""

from typing import Any, TypeVar

import pytest
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2 as isbndb
from bookmesh.mesh.v1.admin_pb2 import BREAKER_STATE_CLOSED
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from mesh.rules import check
from mesh.status import InvalidArgumentError

Some = TypeVar("Some", bound=Message)


def refused(request: Message) -> InvalidArgumentError:
    """What a request is refused with."""
    with pytest.raises(InvalidArgumentError) as caught:
        check(request)
    return caught.value


def later(request: Some, field: str) -> Some:
    """A request with an enum's value of a later version."""
    setattr(request, field, 99)
    return request


def dune(**fields: Any) -> books.SearchAutoRequest:
    """A search for one thing."""
    return books.SearchAutoRequest(q="dune", **fields)


def inline(*, isbns: int = 0, authors: list[str] | None = None) -> warmer.WarmRequest:
    """A request to warm what it holds itself."""
    return warmer.WarmRequest(inline=warmer.InlineLibrary(isbns=["x"] * isbns, authors=authors or []))


def stale(**duration: int) -> books.CacheControl:
    """Asks for an answer that is so old at most."""
    return books.CacheControl(max_stale=Duration(**duration))


CASES: list[tuple[Message, str, str]] = [
    (books.SearchAutoRequest(), "EMPTY_QUERY", "q"),
    (books.SearchAutoRequest(q="a" * 513), "QUERY_TOO_LONG", "q"),
    (dune(max_results=-1), "INVALID_FIELD", "max_results"),
    (dune(max_results=101), "INVALID_FIELD", "max_results"),
    *(
        (dune(language=text), "INVALID_FIELD", "language")
        for text in ("english", "e", "12", "en_US", "ño", "*", "en\n")
    ),
    (later(dune(), "order_by"), "UNKNOWN_ENUM_VALUE", "order_by"),
    (dune(cache_control=books.CacheControl(no_cache=True, only_if_cached=True)), "INVALID_FIELD", "cache_control"),
    (dune(cache_control=stale(seconds=-1)), "INVALID_FIELD", "cache_control.max_stale"),
    (dune(cache_control=stale(nanos=-1)), "INVALID_FIELD", "cache_control.max_stale"),
    (books.BatchSearchAutoRequest(), "INVALID_FIELD", "queries"),
    (books.BatchSearchAutoRequest(queries=[dune()] * 1_001), "TOO_MANY_ITEMS", "queries"),
    (books.AuthorBibliographyRequest(), "INVALID_FIELD", "author"),
    (books.AuthorBibliographyRequest(author="x", page_size=-1), "INVALID_FIELD", "page_size"),
    (books_admin.InspectKeyRequest(), "INVALID_FIELD", "target"),
    (books_admin.InspectKeyRequest(key=""), "INVALID_FIELD", "key"),
    (books_admin.InspectKeyRequest(q=""), "EMPTY_QUERY", "q"),
    (books_admin.PurgeCacheRequest(), "INVALID_FIELD", "target"),
    (books_admin.PurgeCacheRequest(key="x" * 257), "INVALID_FIELD", "key"),
    (isbndb.AuthorBibliographyRequest(), "INVALID_FIELD", "author"),
    (isbndb.AuthorBibliographyRequest(author=" \n"), "INVALID_FIELD", "author"),
    (isbndb.AuthorBibliographyRequest(author="../.."), "INVALID_FIELD", "author"),
    (isbndb.AuthorBibliographyRequest(author="x" * 201), "INVALID_FIELD", "author"),
    (isbndb.AuthorBibliographyRequest(author="x", page=-1), "INVALID_FIELD", "page"),
    (isbndb.AuthorBibliographyRequest(author="x", page_size=-1), "INVALID_FIELD", "page_size"),
    (isbndb.AuthorBibliographyRequest(author="x", language="en-US"), "INVALID_FIELD", "language"),
    (isbndb.GetBookRequest(), "INVALID_FIELD", "isbn"),
    (isbndb.BatchGetBooksRequest(), "INVALID_FIELD", "isbns"),
    (isbndb.BatchGetBooksRequest(isbns=["x"] * 1_001), "TOO_MANY_ITEMS", "isbns"),
    (isbndb.SearchBooksRequest(), "EMPTY_QUERY", "q"),
    (isbndb.SearchBooksRequest(q="?!"), "EMPTY_QUERY", "q"),
    (isbndb.SearchBooksRequest(q="x" * 513), "QUERY_TOO_LONG", "q"),
    (later(isbndb.SearchBooksRequest(q="x"), "column"), "UNKNOWN_ENUM_VALUE", "column"),
    (warmer.WarmRequest(), "INVALID_FIELD", "source"),
    (warmer.WarmRequest(library_id=""), "INVALID_FIELD", "library_id"),
    (inline(), "INVALID_FIELD", "inline"),
    (inline(isbns=1_001), "TOO_MANY_ITEMS", "inline.isbns"),
    (inline(authors=["Homer"] * 1_001), "TOO_MANY_ITEMS", "inline.authors"),
    (inline(authors=["Homer", " "]), "INVALID_FIELD", "inline.authors[1]"),
    (inline(authors=["x" * 201]), "INVALID_FIELD", "inline.authors[0]"),
    (warmer.WarmRequest(library_id="x", request_id="x" * 65), "INVALID_FIELD", "request_id"),
    (later(warmer.WarmRequest(library_id="x"), "strategy"), "UNKNOWN_ENUM_VALUE", "strategy"),
    (later(warmer.WarmRequest(library_id="x"), "rows"), "UNKNOWN_ENUM_VALUE", "rows"),
    (warmer.UploadLibraryRequest(), "INVALID_FIELD", "part"),
    (
        warmer.UploadLibraryRequest(header=later(warmer.LibraryHeader(), "format")),
        "UNKNOWN_ENUM_VALUE",
        "header.format",
    ),
    (warmer.GetWarmJobRequest(), "INVALID_FIELD", "job_id"),
    (warmer.WatchWarmJobRequest(), "INVALID_FIELD", "job_id"),
    (warmer.PauseWarmJobRequest(), "INVALID_FIELD", "job_id"),
    (warmer.ResumeWarmJobRequest(), "INVALID_FIELD", "job_id"),
    (warmer.CancelWarmJobRequest(), "INVALID_FIELD", "job_id"),
    (warmer.GetWarmReportRequest(), "INVALID_FIELD", "job_id"),
    (warmer.ListWarmJobsRequest(page_size=-1), "INVALID_FIELD", "page_size"),
    (warmer_admin.FireTriggerRequest(), "INVALID_FIELD", "cron"),
    (warmer_admin.ListTriggersRequest(firing_limit=101), "INVALID_FIELD", "firing_limit"),
    (warmer_admin.VerifyCacheRequest(sample_count=-1), "INVALID_FIELD", "sample_count"),
    *(
        case
        for admin in (books_admin, isbndb_admin, warmer_admin)
        for case in (
            (admin.SetBreakerRequest(state=BREAKER_STATE_CLOSED), "INVALID_FIELD", "name"),
            (admin.SetBreakerRequest(name="X/*"), "INVALID_FIELD", "state"),
            (later(admin.SetBreakerRequest(name="X/*"), "state"), "UNKNOWN_ENUM_VALUE", "state"),
        )
    ),
]


@pytest.mark.parametrize(("request_", "reason", "field"), CASES)
def test_refused(request_: Message, reason: str, field: str) -> None:
    """A request that breaks a rule is refused with the rule's reason, and its field is named."""
    error = refused(request_)
    assert (reason, field) == (error.reason, error.field)


@pytest.mark.parametrize(
    "request_",
    [
        books.SearchAutoRequest(q="a" * 512),
        dune(max_results=100, language="grc", order_by=books.ORDER_BY_NEWEST, cache_control=stale(seconds=2, nanos=5)),
        books.BatchSearchAutoRequest(queries=[books.SearchAutoRequest()] * 1_000),
        isbndb.AuthorBibliographyRequest(author="村" * 200, language="*", page_size=2**31 - 1),
        isbndb.BatchGetBooksRequest(isbns=["no isbn"] * 1_000),
        isbndb.SearchBooksRequest(q="½", language="EN"),
        inline(isbns=1_000, authors=["Homer"] * 1_000),
        warmer.WarmRequest(library_id="x", request_id="x" * 64),
        warmer.UploadLibraryRequest(data=b""),
        warmer.ListWarmJobsRequest(page_size=5_000),
    ],
)
def test_taken(request_: Message) -> None:
    """As much as is allowed is allowed; a batch's searches and ISBNs are looked at one by one, later."""
    assert check(request_) is request_


@given(st.text(max_size=30))
def test_a_letter_or_a_digit_is_what_python_takes_for_one(text: str) -> None:
    """A text that the contract lets the leaf look up holds something that is left of it when it is tidied."""
    request = isbndb.SearchBooksRequest(q=text)
    if any(map(str.isalnum, text)):
        assert check(request) is request
    else:
        assert refused(request).reason == "EMPTY_QUERY"
