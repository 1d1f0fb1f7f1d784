"""Which requests the warmer takes."""

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError, MeshError, UnimplementedError
from services.warmer.checks import checked_format, checked_job_id, checked_page_size, checked_warm, is_library_id
from tests.unit.warmer_house import DUNE

ID = "ab" * 32


def inline(isbns: list[str] | None = None, authors: list[str] | None = None) -> pb.WarmRequest:
    """A request with books of its own."""
    return pb.WarmRequest(inline=pb.InlineLibrary(isbns=isbns or [], authors=authors or []))


UNKNOWN_STRATEGY = pb.WarmRequest(library_id=ID)
UNKNOWN_STRATEGY.strategy = pb.Strategy.ValueType(99)
UNKNOWN_ROWS = pb.WarmRequest(library_id=ID)
UNKNOWN_ROWS.rows = pb.RowSelection.ValueType(99)


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.WarmRequest(), "INVALID_FIELD", "source"),
        (pb.WarmRequest(library_id=""), "INVALID_FIELD", "source"),
        (inline(), "INVALID_FIELD", "inline"),
        (inline([DUNE, "9780441013594"]), "INVALID_ISBN", "inline.isbns[1]"),
        (inline([""]), "INVALID_ISBN", "inline.isbns[0]"),
        (inline(["no isbn"]), "INVALID_ISBN", "inline.isbns[0]"),
        (inline([DUNE] * 1_001), "TOO_MANY_ITEMS", "inline.isbns"),
        (inline(None, ["Jane Austen"] * 1_001), "TOO_MANY_ITEMS", "inline.authors"),
        (inline(None, ["Jane Austen", " "]), "INVALID_FIELD", "inline.authors[1]"),
        (inline(None, ["x" * 201]), "INVALID_FIELD", "inline.authors[0]"),
        (pb.WarmRequest(library_id=ID, request_id="x" * 65), "INVALID_FIELD", "request_id"),
        (UNKNOWN_STRATEGY, "UNKNOWN_ENUM_VALUE", "strategy"),
        (UNKNOWN_ROWS, "UNKNOWN_ENUM_VALUE", "rows"),
    ],
)
def test_refused(request_: pb.WarmRequest, reason: str, field: str) -> None:
    """What can't be met is refused, and the field at fault is named."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_warm(request_)
    assert (reason, field) == (caught.value.reason, caught.value.field)


def test_parked_rows_are_not_built() -> None:
    """What a later issue builds says so."""
    with pytest.raises(UnimplementedError) as caught:
        checked_warm(pb.WarmRequest(library_id=ID, rows=pb.ROW_SELECTION_PARKED))
    assert caught.value.reason == "NOT_BUILT"


@pytest.mark.parametrize("isbn", [DUNE, "0441013597", "978-0-441-01359-3", '="0441013597"', " 0-441-01359-7 "])
def test_isbns_in_every_form(isbn: str) -> None:
    """An ISBN of either length is one book, however it is written."""
    assert [book.isbn13 for book in checked_warm(inline([isbn]))] == [DUNE]


def test_inline_rows_have_lines() -> None:
    """ISBNs come first, then authors, and each has its place."""
    rows = checked_warm(inline([DUNE], ["Jane  Austen ", "Homer"]))
    assert [(row.line, row.isbn13, tuple(row.authors)) for row in rows] == [
        (1, DUNE, ()),
        (2, "", ("Jane Austen",)),
        (3, "", ("Homer",)),
    ]


def test_as_many_as_allowed() -> None:
    """A thousand ISBNs and a thousand authors are taken."""
    assert len(checked_warm(inline([DUNE] * 1_000, ["Homer"] * 1_000))) == 2_000


def test_a_library_has_no_rows_here() -> None:
    """A request that names a library brings no rows."""
    assert checked_warm(pb.WarmRequest(library_id=ID)) == ()


@pytest.mark.parametrize(
    ("text", "expected"), [(ID, True), (ID.upper(), False), (ID[1:], False), ("../" + ID, False), ("", False)]
)
def test_library_ids(text: str, expected: bool) -> None:  # noqa: FBT001 - a case's expectation
    """A library's id is a hash in hex, and nothing else gets near the store."""
    assert expected is is_library_id(text)


@pytest.mark.parametrize(("size", "expected"), [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)])
def test_page_sizes(size: int, expected: int) -> None:
    """A page has fifty jobs by default, and a thousand at most."""
    assert expected == checked_page_size(size)


def test_negative_page_size() -> None:
    """A page can't have fewer than no jobs."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_page_size(-1)
    assert caught.value.field == "page_size"


def test_job_id_is_required() -> None:
    """A request for a job names it."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_job_id("")
    assert caught.value.field == "job_id"


def test_unknown_format() -> None:
    """A format that nobody knows is refused."""
    with pytest.raises(MeshError) as caught:
        checked_format(99)
    assert caught.value.reason == "UNKNOWN_ENUM_VALUE"
