"""Which requests the warmer takes."""

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError
from services.warmer.checks import inline_books, is_library_id, page_size_of

DUNE = "9780441013593"
ID = "ab" * 32


def inline(isbns: list[str] | None = None, authors: list[str] | None = None) -> pb.WarmRequest:
    """A request with books of its own."""
    return pb.WarmRequest(inline=pb.InlineLibrary(isbns=isbns or [], authors=authors or []))


@pytest.mark.parametrize("isbns", [[""], ["no isbn"], ["9780441013594"], [DUNE, "9780441013594"]])
def test_what_is_no_isbn(isbns: list[str]) -> None:
    """What is no ISBN is refused, and its place is named."""
    with pytest.raises(InvalidArgumentError) as caught:
        inline_books(inline(isbns))
    assert (caught.value.reason, caught.value.field) == ("INVALID_ISBN", f"inline.isbns[{len(isbns) - 1}]")


@pytest.mark.parametrize("isbn", [DUNE, "0441013597", "978-0-441-01359-3", '="0441013597"', " 0-441-01359-7 "])
def test_isbns_in_every_form(isbn: str) -> None:
    """An ISBN of either length is one book, however it is written."""
    assert [book.isbn13 for book in inline_books(inline([isbn]))] == [DUNE]


def test_inline_rows_have_lines() -> None:
    """ISBNs come first, then authors, and each has its place."""
    rows = inline_books(inline([DUNE], ["Jane  Austen ", "Homer"]))
    assert [(row.line, row.isbn13, tuple(row.authors)) for row in rows] == [
        (1, DUNE, ()),
        (2, "", ("Jane Austen",)),
        (3, "", ("Homer",)),
    ]


def test_as_many_as_allowed() -> None:
    """A thousand ISBNs and a thousand authors are taken."""
    assert len(inline_books(inline([DUNE] * 1_000, ["Homer"] * 1_000))) == 2_000


def test_a_library_has_no_rows_here() -> None:
    """A request that names a library brings no rows."""
    assert not inline_books(pb.WarmRequest(library_id=ID))


@pytest.mark.parametrize(
    ("text", "expected"), [(ID, True), (ID.upper(), False), (ID[1:], False), ("../" + ID, False), ("", False)]
)
def test_library_ids(text: str, expected: bool) -> None:  # noqa: FBT001 - a case's expectation
    """A library's id is a hash in hex, and nothing else gets near the store."""
    assert expected is is_library_id(text)


@pytest.mark.parametrize(("size", "expected"), [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)])
def test_page_sizes(size: int, expected: int) -> None:
    """A page has fifty jobs by default, and a thousand at most."""
    assert expected == page_size_of(size)
