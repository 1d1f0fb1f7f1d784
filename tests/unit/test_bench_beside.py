"""Searches beside a job: what is asked for, how times are taken, and when the figure is met."""

import asyncio

import pytest
from bookmesh.books.v1 import books_service_pb2 as books

from bench.beside import Load, Round, as_csv, catalogue, is_met, main, p99, ratio
from services.warmer.library.reading import read_library
from services.warmer.library.rows import Row


def test_each_book_once() -> None:
    """The made-up books are as many as asked for, each with an ISBN of its own that a library's reader proves."""
    shelf = list(catalogue(300))
    rows = [row for row in read_library([as_csv(shelf)])[1] if isinstance(row, Row)]
    assert [row.isbn13 for row in rows] == [isbn for _, _, isbn in shelf]
    assert len({isbn for _, _, isbn in shelf}) == 300


def test_p99() -> None:
    """Of a hundred times one may be long, and does not count."""
    assert p99([0.001] * 199 + [1.0]) == pytest.approx(0.001)


def one(job: float) -> Round:
    """A round whose searches took a second at rest."""
    return Round(rest=[1.0] * 10, job=[job] * 10, calls=1, warmed=1)


@pytest.mark.parametrize(("jobs", "met"), [((1.0, 1.2, 9.0), True), ((1.0, 1.3, 1.3), False)])
def test_the_median_counts(jobs: tuple[float, ...], met: bool) -> None:  # noqa: FBT001 - a case of the table
    """The middle round says whether the figure is met, not the worst one."""
    rounds = [one(job) for job in jobs]
    assert (is_met(rounds), ratio(rounds)) == (met, sorted(jobs)[1])


class SlowBooks:
    """Answers each search after a while."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def SearchAuto(self, request: books.SearchAutoRequest, *, timeout: float) -> books.SearchAutoResponse:  # noqa: ASYNC109 - the stub has it
        """Takes its time."""
        self.asked.append(request.q)
        await asyncio.sleep(0.05)
        return books.SearchAutoResponse()


async def test_a_slow_answer_delays_no_other() -> None:
    """Searches go out at their pace, whether earlier ones have ended or not, and all are waited for."""
    slow = SlowBooks()
    load = Load(slow, ["a", "b"], 200.0)  # type: ignore[arg-type]  # one method is called
    times = await load.until(lambda: len(slow.asked) >= 6)
    assert (slow.asked[:4], len(times) == len(slow.asked), min(times) >= 0.04) == (["a", "b", "a", "b"], True, True)


def test_a_load_without_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    """A load that no machine bears is refused before anything starts."""
    with pytest.raises(SystemExit):
        main(["--pace", "100000"])
    assert "searches a second make sense" in capsys.readouterr().err
