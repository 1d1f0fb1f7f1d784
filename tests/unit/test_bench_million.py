"""The library of a million rows, and how what a process uses is measured."""

import csv
import io
import os

import pytest
from stdnum import isbn

from bench.million.__main__ import Step, is_met, main, table
from bench.million.library import HEADER, isbns, parts
from bench.million.process import cpu_s, peak_mb
from services.warmer.library.reading import LibraryCounts, read_library

ROWS = 5_000


def test_it_is_the_same_in_every_run() -> None:
    """The same seed makes the same bytes, another seed others."""
    assert b"".join(parts(500)) == b"".join(parts(500))
    assert b"".join(parts(500)) != b"".join(parts(500, seed=6))


def test_it_is_as_a_real_one() -> None:
    """Of its rows 30 % have no ISBN, 15 % repeat one before, half have a series; none is refused."""
    data = b"".join(parts(ROWS))
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    counts = LibraryCounts()
    for event in read_library([data])[1]:
        counts.add(event)
    shares = (
        sum(row["ISBN13"] == '=""' for row in rows) / ROWS,
        counts.duplicate_count / ROWS,
        sum("#" in row["Title"] for row in rows) / ROWS,
        sum(not row["Title"].isascii() for row in rows) / ROWS,
    )
    assert shares == pytest.approx((0.3, 0.15, 0.5, 0.15), abs=0.05)
    assert (len(rows), list(rows[0]), counts.row_count, counts.reject_count) == (ROWS, HEADER, ROWS, 0)


@pytest.mark.parametrize("nine", [0, 44101359, 220339644, 999_999_999])
def test_its_isbns_are_right(nine: int) -> None:
    """Both forms of an ISBN pass the check, and are one."""
    ten, thirteen = isbns(nine)
    assert (isbn.is_valid(ten), isbn.is_valid(thirteen), isbn.to_isbn13(ten)) == (True, True, thirteen)


def test_what_a_process_uses() -> None:
    """CPU time grows as it is spent, and the peak of memory never falls."""
    before, peak = cpu_s(os.getpid()), peak_mb(os.getpid())
    while cpu_s(os.getpid()) - before < 0.05:
        sum(range(10_000))
    assert 1 < peak <= peak_mb(os.getpid())


@pytest.mark.parametrize(
    ("cpu", "peak", "met"),
    [((20.0, 19.0), (150.0, 199.0), True), ((20.0, 21.0), (150.0, 150.0), False), ((1.0, 1.0), (100.0, 201.0), False)],
)
def test_met(cpu: tuple[float, float], peak: tuple[float, float], met: bool) -> None:  # noqa: FBT001 - a case of the table
    """All steps together must be fast enough, and none may take too much memory."""
    steps = [
        Step(name="step", rows=1_000_000, cpu_s=each, wall_s=each, peak_mb=most)
        for each, most in zip(cpu, peak, strict=True)
    ]
    assert is_met(steps) is met
    assert table(steps).row_count == 4


def test_how_many_rows() -> None:
    """More than a million rows, or none, are refused at once."""
    with pytest.raises(SystemExit):
        main(["--rows", "0"])
