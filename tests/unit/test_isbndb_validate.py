from collections.abc import Callable
from typing import Any

import pytest

from mesh.status import InvalidArgumentError
from services.isbndb import validate


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (lambda: validate.tidied("  Frank \n Herbert "), "Frank Herbert"),
        (lambda: validate.tidied("Mircea Ca\u0306rta\u0306rescu"), "Mircea Cărtărescu"),
        (lambda: validate.tidied("村上春樹"), "村上春樹"),
        (lambda: validate.tidied("a\x00b"), "a b"),
        (lambda: validate.tidied(" dune "), "dune"),
        (lambda: validate.checked_page(0, 50), 1),
        (lambda: validate.checked_page(200, 50), 200),
        (lambda: validate.checked_page(1, 1_000), 1),
        (lambda: validate.page_size_of(0, 1_000), 50),
        (lambda: validate.page_size_of(0, 20), 20),
        (lambda: validate.page_size_of(7, 50), 7),
        (lambda: validate.page_size_of(2**31 - 1, 50), 50),
        (lambda: validate.language_of(""), "en"),
        (lambda: validate.language_of("PT"), "pt"),
        (lambda: validate.language_of("grc"), "grc"),
        (lambda: validate.language_of("*"), "*"),
        (lambda: validate.checked_isbn("0-441-01359-7"), "9780441013593"),
        (lambda: validate.COLUMNS.get(0), ""),
        (lambda: validate.COLUMNS.get(1), "title"),
        (lambda: validate.COLUMNS.get(2), "author"),
        (lambda: validate.COLUMNS.get(3), "subject"),
        (
            lambda: validate.isbns_of(["0441013597", "x", "9780441013593", "x"]),
            {"0441013597": "9780441013593", "x": "", "9780441013593": "9780441013593"},
        ),
    ],
)
def test_taken(check: Callable[[], Any], expected: object) -> None:
    """A good field is taken in its normal form, and one that is left out has its default."""
    assert expected == check()


@pytest.mark.parametrize(
    ("check", "reason", "field"),
    [
        (lambda: validate.checked_page(201, 50), "INVALID_FIELD", "page"),
        (lambda: validate.checked_page(335, 30), "INVALID_FIELD", "page"),
        (lambda: validate.checked_isbn(" "), "INVALID_ISBN", "isbn"),
        (lambda: validate.checked_isbn("9780441013594"), "INVALID_ISBN", "isbn"),
        (lambda: validate.checked_isbn("dune"), "INVALID_ISBN", "isbn"),
    ],
)
def test_refused(check: Callable[[], Any], reason: str, field: str) -> None:
    """A bad field is INVALID_ARGUMENT, with the reason and the field's name."""
    with pytest.raises(InvalidArgumentError) as caught:
        check()
    assert (reason, field) == (caught.value.reason, caught.value.metadata["field"])
