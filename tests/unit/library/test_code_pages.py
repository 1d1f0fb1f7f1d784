"""Code pages: a header that has names in one page alone is in that one."""

import pytest

from services.warmer.library.code_pages import page_of


@pytest.mark.parametrize(
    ("header", "page"),
    [
        ("Название;Автор", "cp1251"),
        ("Tytuł,Autor", "cp1250"),
        ('"Τίτλος";"Συγγραφέας"', "cp1253"),
        ("書名\t著者", "cp932"),
        ("书名|作者", "gb18030"),
        ("제목,저자", "cp949"),
        ("Título,Autor", "cp1252"),
        ("Größe,Preis", "cp1252"),
    ],
)
def test_page_of(header: str, page: str) -> None:
    """The page is told by names that no other page makes of the same bytes; Windows-1252 where there are none."""
    assert page_of(f"my books\n{header}\n".encode(page)) == page


def test_of_ascii() -> None:
    """Where no line has a letter beyond ASCII, nothing speaks against Windows-1252."""
    assert page_of(b"Title,Author\n") == "cp1252"
