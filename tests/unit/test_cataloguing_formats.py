import pytest
from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_EBOOK,
    FORMAT_HARDCOVER,
    FORMAT_MASS_MARKET,
    FORMAT_NOT_A_BOOK,
    FORMAT_OTHER_PRINT,
    FORMAT_PAPERBACK,
    FORMAT_UNSPECIFIED,
    Format,
)

from services.cataloguing.formats import format_of


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ("Hardcover", FORMAT_HARDCOVER),
        ("Library Binding", FORMAT_HARDCOVER),
        ("School & Library Binding", FORMAT_HARDCOVER),
        ("Hardback", FORMAT_HARDCOVER),
        ("Paperback", FORMAT_PAPERBACK),
        ("Perfect Paperback", FORMAT_PAPERBACK),
        ("Softcover", FORMAT_PAPERBACK),
        ("Paperback + DVD", FORMAT_PAPERBACK),
        ("Mass Market Paperback", FORMAT_MASS_MARKET),
        ("Kindle Edition", FORMAT_EBOOK),
        ("eBook", FORMAT_EBOOK),
        ("kindle_edition", FORMAT_EBOOK),
        ("Audio CD", FORMAT_AUDIO),
        ("MP3 CD", FORMAT_AUDIO),
        ("Audiobook", FORMAT_AUDIO),
        ("Preloaded Digital Audio Player", FORMAT_AUDIO),
        ("Spiral-bound", FORMAT_OTHER_PRINT),
        ("Hardcover-spiral", FORMAT_OTHER_PRINT),
        ("Board book", FORMAT_OTHER_PRINT),
        ("Large Print", FORMAT_OTHER_PRINT),
        ("DVD", FORMAT_NOT_A_BOOK),
        ("Sheet music", FORMAT_NOT_A_BOOK),
        ("CD-ROM", FORMAT_NOT_A_BOOK),
        ("Calendar", FORMAT_NOT_A_BOOK),
        ("Unknown Binding", FORMAT_UNSPECIFIED),
        ("", FORMAT_UNSPECIFIED),
    ],
)
def test_format(binding: str, expected: Format.ValueType) -> None:
    """ISBNdb's words for bindings have the meaning that a reader gives them."""
    assert expected == format_of(binding)
