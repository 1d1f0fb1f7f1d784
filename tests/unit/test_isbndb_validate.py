from collections.abc import Callable
from typing import Any

import pytest

from mesh.status import InvalidArgumentError
from services.isbndb import validate


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (lambda: validate.checked_author("  Frank \n Herbert "), "Frank Herbert"),
        (lambda: validate.checked_author("Mircea Ca\u0306rta\u0306rescu"), "Mircea Cărtărescu"),
        (lambda: validate.checked_author("村上春樹"), "村上春樹"),
        (lambda: validate.checked_author("a\x00b"), "a b"),
        (lambda: validate.checked_author("x" * 200), "x" * 200),
        (lambda: validate.checked_query(" dune "), "dune"),
        (lambda: validate.checked_query("x" * 512), "x" * 512),
        (lambda: validate.checked_page(0, 50), 1),
        (lambda: validate.checked_page(200, 50), 200),
        (lambda: validate.checked_page(1, 1_000), 1),
        (lambda: validate.checked_page_size(0, 1_000), 50),
        (lambda: validate.checked_page_size(0, 20), 20),
        (lambda: validate.checked_page_size(7, 50), 7),
        (lambda: validate.checked_page_size(2**31 - 1, 50), 50),
        (lambda: validate.checked_language(""), "en"),
        (lambda: validate.checked_language(" PT "), "pt"),
        (lambda: validate.checked_language("grc"), "grc"),
        (lambda: validate.checked_language("*"), "*"),
        (lambda: validate.checked_isbn("0-441-01359-7"), "9780441013593"),
        (lambda: validate.checked_column(0), ""),
        (lambda: validate.checked_column(1), "title"),
        (lambda: validate.checked_column(2), "author"),
        (lambda: validate.checked_column(3), "subject"),
        (
            lambda: validate.checked_isbns(["0441013597", "x", "9780441013593", "x"]),
            {"0441013597": "9780441013593", "x": "", "9780441013593": "9780441013593"},
        ),
        (lambda: len(validate.checked_isbns(["x"] * 1_000)), 1),
    ],
)
def test_taken(check: Callable[[], Any], expected: object) -> None:
    """A good field is taken in its normal form, and one that is left out has its default."""
    assert expected == check()


@pytest.mark.parametrize(
    ("check", "reason", "field"),
    [
        (lambda: validate.checked_author(""), "INVALID_FIELD", "author"),
        (lambda: validate.checked_author(" \n"), "INVALID_FIELD", "author"),
        (lambda: validate.checked_author("x" * 201), "INVALID_FIELD", "author"),
        (lambda: validate.checked_author("../.."), "INVALID_FIELD", "author"),
        (lambda: validate.checked_query(""), "EMPTY_QUERY", "q"),
        (lambda: validate.checked_query("?!"), "EMPTY_QUERY", "q"),
        (lambda: validate.checked_query("x" * 513), "QUERY_TOO_LONG", "q"),
        (lambda: validate.checked_page(-1, 50), "INVALID_FIELD", "page"),
        (lambda: validate.checked_page(201, 50), "INVALID_FIELD", "page"),
        (lambda: validate.checked_page(335, 30), "INVALID_FIELD", "page"),
        (lambda: validate.checked_page_size(-1, 50), "INVALID_FIELD", "page_size"),
        (lambda: validate.checked_language("e"), "INVALID_FIELD", "language"),
        (lambda: validate.checked_language("en-US"), "INVALID_FIELD", "language"),
        (lambda: validate.checked_language("english"), "INVALID_FIELD", "language"),
        (lambda: validate.checked_language("ño"), "INVALID_FIELD", "language"),
        (lambda: validate.checked_isbn(""), "INVALID_FIELD", "isbn"),
        (lambda: validate.checked_isbn("9780441013594"), "INVALID_ISBN", "isbn"),
        (lambda: validate.checked_isbn("dune"), "INVALID_ISBN", "isbn"),
        (lambda: validate.checked_isbns([]), "INVALID_FIELD", "isbns"),
        (lambda: validate.checked_isbns(["x"] * 1_001), "TOO_MANY_ITEMS", "isbns"),
        (lambda: validate.checked_column(99), "UNKNOWN_ENUM_VALUE", "column"),
        (lambda: validate.checked_column(-1), "UNKNOWN_ENUM_VALUE", "column"),
    ],
)
def test_refused(check: Callable[[], Any], reason: str, field: str) -> None:
    """A bad field is INVALID_ARGUMENT, with the reason and the field's name."""
    with pytest.raises(InvalidArgumentError) as caught:
        check()
    assert (reason, field) == (caught.value.reason, caught.value.metadata["field"])
