"""Decoding: the text of a file, whatever its encoding, and never more of it in memory than is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.warmer.library.decoding import LINE_LENGTH, NotTextError, lines_of, undoubled

TEXT = "Title,Author\nÉtoile,Günter Grass\n"


def lines(data: bytes, size: int = 2**20) -> list[str]:
    """The lines of a file, whose bytes come some at a time."""
    parts = lines_of(data[at : at + size] for at in range(0, len(data), size))
    return [line for part in parts for line in part]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso-8859-1"]
)
@pytest.mark.parametrize("size", [1, 3, 2**20])
def test_encodings(encoding: str, size: int) -> None:
    """A file is read in the encoding that it is in, with or without a mark."""
    assert "".join(lines(TEXT.encode(encoding), size)).removeprefix("\ufeff") == TEXT


def test_mixed() -> None:
    """Bytes that are no UTF-8 are letters of Windows-1252, one by one, and spoil nothing around them."""
    assert lines("é".encode() + b"\xe9 \x93\x81\n") == ["éé “\ufffd\n"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Название;Автор\nВойна;Лев Толс\n"),
        ("cp1250", "Tytuł;Autor\nŻółw;Stanisław Lę\n"),
        ("cp932", "書名,著者\n海辺,村上 春\n"),
        ("gb18030", "书名,作者\n沙丘,刘慈\n"),
        ("cp1252", "Título,Autor\nÑandú,Añe Núñez\n"),
        ("cp1252", "Title,Größe\nÑandú,5\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 2**20])
def test_code_pages(encoding: str, text: str, size: int) -> None:
    """A file that is no Unicode is in the code page that makes names of its columns, else in Windows-1252."""
    assert "".join(lines(text.encode(encoding), size)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CafÃ©", "Café"),
        ("Oâ€™Bri", "O’Bri"),
        ("Café", "Café"),
        ("Ã£o 村", "Ã£o 村"),
        ("plain", "plain"),
    ],
)
def test_undoubled(text: str, expected: str) -> None:
    """UTF-8 that a program took for Windows-1252 and wrote again is put right; no other text is touched."""
    assert undoubled(text) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(end: str) -> None:
    """A line ends as the file has it, and other signs that look like ends do not part it."""
    assert lines(f"a\u2028b{end}c\x0bd{end}e".encode()) == ["a\u2028b\n", "c\x0bd\n", "e"]


def outcome(data: bytes, size: int) -> list[str] | int:
    """The lines of a file, or where it is no text."""
    try:
        return lines(data, size)
    except NotTextError as error:
        return error.offset


@given(st.binary(max_size=300), st.integers(1, 20))
def test_parts_do_not_matter(data: bytes, size: int) -> None:
    """Where a file is parted makes no difference."""
    assert outcome(data, size) == outcome(data, len(data) + 1)


def test_zero() -> None:
    """A zero byte is in no text but UTF-16, and its place is told."""
    with pytest.raises(NotTextError) as caught:
        lines(b"Title\nDune\0\n" + b"x" * 100, size=7)
    assert caught.value.offset == 10


@pytest.mark.parametrize("size", [LINE_LENGTH // 3, 2**30])
def test_a_line_without_an_end(size: int) -> None:
    """A line that does not end is cut, so that a file of one line is held in bounded memory."""
    found = lines(b"x" * (2 * LINE_LENGTH + 5) + b"\ny\n", size)
    assert [len(line) for line in found] == [LINE_LENGTH, LINE_LENGTH, 6, 2]
