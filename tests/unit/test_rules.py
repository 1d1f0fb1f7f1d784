"""How broken input rules are told: every fault with its path, the first one's reason and what varies in it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub
from bookmesh.type.v1.book_pb2 import Work
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceServicer, WarmerServiceStub
from google.protobuf.message import Message

from mesh.context import Context
from mesh.rules import WHOLE_BYTES, check, check_of
from mesh.status import InvalidArgumentError
from mesh.status_details import DETAILS_KEY, DETAILS_LIMIT, details_of, from_status
from mesh.testing import in_process


def refused(request: Message) -> InvalidArgumentError:
    """What a request is refused with."""
    with pytest.raises(InvalidArgumentError) as caught:
        check(request)
    return caught.value


def test_all_faults_are_told() -> None:
    """Each fault has its field, its reason and a sentence; the error has those of the first."""
    error = refused(pb.SearchAutoRequest(q="x" * 513, max_results=101, language="?"))
    assert (error.reason, error.field, error.message) == (
        "QUERY_TOO_LONG",
        "q",
        "q: must be at most 512 characters; and 2 more",
    )
    assert [(each.field, each.reason) for each in error.violations] == [
        ("q", "QUERY_TOO_LONG"),
        ("max_results", "INVALID_FIELD"),
        ("language", "INVALID_FIELD"),
    ]


@pytest.mark.parametrize(
    ("request_", "metadata"),
    [
        (pb.SearchAutoRequest(q="x" * 600), {"field": "q", "limit": "512", "length": "600"}),
        (pb.SearchAutoRequest(q="x", max_results=101), {"field": "max_results", "limit": "100", "value": "101"}),
        (pb.SearchAutoRequest(q="x", order_by=99), {"field": "order_by", "value": "99"}),  # type: ignore[arg-type]  # a value of a later version
        (
            warmer.WarmRequest(inline=warmer.InlineLibrary(isbns=["x"] * 1_001)),
            {"field": "inline.isbns", "limit": "1000", "count": "1001"},
        ),
        (
            warmer.WarmRequest(inline=warmer.InlineLibrary(authors=["x" * 201])),
            {"field": "inline.authors[0]", "limit": "200", "length": "201"},
        ),
        (warmer.WarmRequest(inline=warmer.InlineLibrary()), {"field": "inline"}),
        (warmer.WarmRequest(), {"field": "source"}),
    ],
)
def test_what_varies(request_: Message, metadata: Mapping[str, str]) -> None:
    """The limit of the rule and what was found stand in the metadata, but no text that somebody sent."""
    assert metadata == refused(request_).metadata


def test_many_faults_cost_no_more_than_one() -> None:
    """Of a large message the first fault alone is told, for a few bytes can hold one."""
    count = WHOLE_BYTES // 2
    error = refused(warmer.WarmRequest(inline=warmer.InlineLibrary(authors=["!"] * count)))
    assert [each.field for each in error.violations] == ["inline.authors"]


def test_many_faults_stay_small() -> None:
    """More faults than fit are cut to what gRPC lets through; the first arrive, and the cut is told."""
    error = refused(warmer.WarmRequest(inline=warmer.InlineLibrary(authors=["!"] * 900)))
    told = from_status(error.code, error.message, [(DETAILS_KEY, details_of(error))])
    assert (len(error.violations), len(details_of(error)) <= DETAILS_LIMIT) == (900, True)
    assert 10 < len(told.violations) < 900
    assert (told.field, told.metadata["truncated"]) == ("inline.authors[0]", "metadata, violations")
    assert list(error.violations[: len(told.violations)]) == list(told.violations)


def test_a_type_without_rules_has_no_check() -> None:
    """Nothing is paid for messages that may hold anything."""
    assert check_of(Work) is None


@pytest.mark.parametrize("request_", [pb.SearchAutoRequest(q="dune"), pb.SearchAutoRequest(q="dune", language="en")])
def test_a_check_says_what_protovalidate_says(request_: Message) -> None:
    """A request that keeps the rules is let through, whoever saw it; one that breaks any hears the same."""
    look = check_of(type(request_))
    assert look is not None
    look(request_)
    with pytest.raises(InvalidArgumentError) as caught:
        look(pb.SearchAutoRequest(q="x" * 513, max_results=101))
    assert str(caught.value) == str(refused(pb.SearchAutoRequest(q="x" * 513, max_results=101)))


class Never(BooksServiceServicer):
    """A search that must not be reached."""

    async def SearchAuto(self, request: pb.SearchAutoRequest, context: Context) -> pb.SearchAutoResponse:
        """Breaks."""
        raise AssertionError("reached")


async def test_an_entrypoint_never_sees_what_breaks_a_rule() -> None:
    """The layer refuses a request before its entrypoint, and the caller gets every fault."""
    never = Never()  # type: ignore[abstract]  # one method is enough
    with pytest.raises(InvalidArgumentError) as caught:
        await in_process(BooksServiceStub, never).SearchAuto(pb.SearchAutoRequest(max_results=-1))
    assert [(each.field, each.reason) for each in caught.value.violations] == [
        ("q", "EMPTY_QUERY"),
        ("max_results", "INVALID_FIELD"),
    ]


class Counting(WarmerServiceServicer):
    """Takes parts, one way or the other."""

    def __init__(self, *, reads: bool) -> None:
        self.parts: list[warmer.UploadLibraryRequest] = []
        self._reads = reads

    async def UploadLibrary(
        self, request_iterator: AsyncIterator[warmer.UploadLibraryRequest], context: Context
    ) -> warmer.UploadLibraryResponse:
        """Notes each part."""
        if self._reads:
            while True:
                part: Any = await context.read()
                self.parts.append(part)
        async for part in request_iterator:
            self.parts.append(part)
        return warmer.UploadLibraryResponse()


@pytest.mark.parametrize("reads", [True, False])
async def test_each_request_of_a_stream_is_checked(reads: bool) -> None:  # noqa: FBT001 - both ways to read a stream
    """A request that breaks a rule ends the stream where it stands; those before it were taken."""
    entrypoint = Counting(reads=reads)  # type: ignore[abstract]  # one method is enough

    async def parts() -> AsyncIterator[warmer.UploadLibraryRequest]:
        yield warmer.UploadLibraryRequest(data=b"Title\n")
        yield warmer.UploadLibraryRequest()

    with pytest.raises(InvalidArgumentError) as caught:
        await in_process(WarmerServiceStub, entrypoint).UploadLibrary(parts())
    assert (caught.value.field, len(entrypoint.parts)) == ("part", 1)
