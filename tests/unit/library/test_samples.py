"""The samples: from each kind of library comes what a person finds in it, however its bytes are parted."""

import json
from pathlib import Path

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import LibraryFormat

from bench.formats import EXPECTED, main, sample_of, samples
from services.warmer.library.reading import read_library
from tests.library_events import told


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_sample(path: Path, size: int) -> None:
    """A sample's format, its columns, its books, repeats, repairs and rejects are those that stand beside it."""
    data = path.read_bytes()
    columns, found = read_library([data[at : at + size] for at in range(0, len(data), size)])
    expected = json.loads(path.with_name(path.name + EXPECTED).read_text())
    assert LibraryFormat.Name(columns.format) == expected["format"]
    assert list(columns.names) == expected["columns"]
    assert list(told(found)) == expected["events"]


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_forced(path: Path) -> None:
    """A sample reads the same when the format that was found is forced."""
    data = path.read_bytes()
    columns, found = read_library([data])
    again, forced = read_library([data], format_=columns.format)
    assert (columns, list(found)) == (again, list(forced))


def test_every_format_has_a_sample() -> None:
    """There is a sample of each format in the contract."""
    found = {sample_of(path).format for path in samples()}
    assert found == {name.removeprefix("LIBRARY_FORMAT_").lower() for name in LibraryFormat.keys()[1:]}


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`make formats` says that every row that holds a book is understood."""
    assert main([]) == 0
    assert "are understood: 100 %" in capsys.readouterr().out


def test_the_command_on_what_is_no_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no library is named, with why."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert main([str(path)]) == 2
    assert "x.csv: the file is not text" in capsys.readouterr().err


def test_the_command_on_a_row_that_is_not_understood(tmp_path: Path) -> None:
    """A row that holds a book and is refused makes the command fail."""
    path = tmp_path / "x.csv"
    path.write_text("Title,ISBN\nDune,\n,lost\n")
    path.with_name("x.csv" + EXPECTED).write_text('{"rows_with_a_book": 2}')
    assert main([str(path)]) == 1
