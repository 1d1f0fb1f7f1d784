"""Cron lines mean the instants that crontab(5) says, and the shape that is checked is the one that is reckoned with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.cron import cron_fault
from mesh.schedule.times import last_due, next_due, written

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LIMITS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, DAYS))


def at(text: str) -> int:
    """An instant that is written as people write it."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@st.composite
def parts(draw: st.DrawFn, least: int, most: int, words: tuple[str, ...]) -> str:
    """One part of a field: a star, a number, a name or a range, with a step or without."""

    def end(number: int) -> str:
        named = words and number - least < len(words) and draw(st.booleans())
        return words[number - least] if named else str(number)

    numbers = sorted(draw(st.lists(st.integers(least, most), max_size=2)))
    step = f"/{draw(st.integers(1, most))}" if draw(st.booleans()) else ""
    return ("-".join(map(end, numbers)) or "*") + step


def fields(least: int, most: int, words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A field: a few parts, or a star, as most fields are."""
    return st.one_of(st.just("*"), st.lists(parts(least, most, words), min_size=1, max_size=3).map(",".join))


LINES = st.tuples(*(fields(*limits) for limits in LIMITS)).map(" ".join)
"""Lines of the right shape, some of which never fire."""

TIMES = st.floats(at("1999-12-01"), at("2040-01-01"), allow_nan=False)


def numbers_of(text: str, least: int, most: int, words: tuple[str, ...]) -> set[int]:
    """What a field means by crontab(5), read part by part."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = least, most
        else:
            ends = [words.index(end) + least if end in words else int(end) for end in span.split("-")]
            first, last = ends[0], most if step and len(ends) == 1 else ends[-1]
        found |= set(range(first, last + 1, int(step or 1)))
    return found


class Meaning:
    """A line by crontab(5), as Debian's cron reads it: slow, and written without the library."""

    def __init__(self, line: str) -> None:
        texts = line.split()
        found = [numbers_of(text, *limits) for text, limits in zip(texts, LIMITS, strict=True)]
        self.minutes, self.hours, self.days, self.months, self.weekdays = found
        self.both = texts[2].startswith("*") or texts[4].startswith("*")

    def fits(self, moment: datetime) -> bool:
        """Whether a minute is due."""
        if moment.minute not in self.minutes or moment.hour not in self.hours:
            return False
        return self.fits_day(moment)

    def fits_day(self, moment: datetime) -> bool:
        """Whether a day has due minutes."""
        weekday = moment.isoweekday()
        by_week = bool({weekday, weekday % 7} & self.weekdays)
        by_month = moment.day in self.days
        return moment.month in self.months and (by_month and by_week if self.both else by_month or by_week)

    def between(self, first: int, last: int) -> Iterator[int]:
        """The due instants from one time to another, both counted."""
        day = datetime.fromtimestamp(first, UTC).replace(hour=0, minute=0, second=0)
        while day.timestamp() <= last:
            if self.fits_day(day):
                for minute in range(24 * 60):
                    moment = day + timedelta(minutes=minute)
                    if self.fits(moment) and first <= moment.timestamp() <= last:
                        yield int(moment.timestamp())
            day += timedelta(days=1)


@given(LINES)
def test_what_is_let_through_comes(line: str) -> None:
    """A line that the manifest may have has a next and a last instant; all others of its shape are told why not."""
    fault = cron_fault(line)
    if fault:
        assert fault.endswith(("so it would never fire", "has a step from a number to itself"))
        return
    assert last_due(line, at("2027-01-01")) < next_due(line, at("2027-01-01"))


@given(LINES, TIMES)
def test_meaning(line: str, time: float) -> None:
    """The next and the last instant are those of crontab(5), and nothing is due between."""
    if cron_fault(line):
        return
    last, due = last_due(line, time), next_due(line, time)
    assert last <= time < due
    week = 7 * 86_400
    meaning = Meaning(line)
    assert meaning.fits(datetime.fromtimestamp(due, UTC))
    assert meaning.fits(datetime.fromtimestamp(last, UTC))
    begins, ends = max(last, int(time) - week), min(due, int(time) + week)
    assert {*meaning.between(begins, ends)} == {instant for instant in (last, due) if begins <= instant <= ends}


@given(st.text(alphabet="0123456789*/,- janmosu\u017f²", max_size=20).map(lambda text: f"{text} * * * *"))
def test_what_the_library_takes(line: str) -> None:
    """What the library takes is let through, but for what crontab(5) has no word for or people would read otherwise."""
    try:
        CronSim(line, datetime(2027, 1, 1, tzinfo=UTC))
    except CronSimError:
        assert cron_fault(line)
        return
    fault = cron_fault(line)
    assert not fault or any(why in fault for why in ("fields, where cron has 5", "step", "is none"))


@pytest.mark.parametrize("extension", ["0 0 L * *", "0 0 LW * *", "0 0 * * mon#2", "0 0 * * 5L", "0 0 0 * * *"])
def test_extensions(extension: str) -> None:
    """What the library knows beyond the five fields of crontab(5) is refused, for nobody else would read it so."""
    CronSim(extension, datetime(2027, 1, 1, tzinfo=UTC))
    assert cron_fault(extension)


@pytest.mark.parametrize("weekday", range(7))
def test_the_rarest_line(weekday: int) -> None:
    """The 29th of February on one day of the week comes every forty years at least, and is found from anywhere."""
    line = f"0 0 29 2 {f'*/7,{weekday}' if weekday else '*/7'}"
    for year in range(2000, 2130):
        assert next_due(line, at(f"{year}-03-01")) - last_due(line, at(f"{year}-03-01")) <= 40 * 366 * 86_400


@pytest.mark.parametrize(
    ("line", "time", "last", "due"),
    [
        ("*/15 * * * *", "2027-01-01T00:15:00", "2027-01-01T00:15:00", "2027-01-01T00:30:00"),
        ("0 2 * * *", "2027-02-28T23:59:59", "2027-02-28T02:00:00", "2027-03-01T02:00:00"),
        ("0 2 * * *", "2027-03-28T01:59:59", "2027-03-27T02:00:00", "2027-03-28T02:00:00"),
        ("0 0 * * 7", "2027-01-03T00:00:00", "2027-01-03T00:00:00", "2027-01-10T00:00:00"),
        ("0 0 13 * fri", "2027-01-08T12:00:00", "2027-01-08T00:00:00", "2027-01-13T00:00:00"),
    ],
)
def test_instants(line: str, time: str, last: str, due: str) -> None:
    """An instant belongs to what was, and the night when Europe moves its clocks is a night like any other."""
    assert (last_due(line, at(time)), next_due(line, at(time))) == (at(last), at(due))


def test_parts_of_seconds() -> None:
    """A moment before an instant it has not come; from the instant on it has."""
    due = at("2027-01-01T00:15:00")
    assert (next_due("*/15 * * * *", due - 1e-6), last_due("*/15 * * * *", due + 1e-6)) == (due, due)


def test_written() -> None:
    """An instant is written in UTC to the second."""
    assert written(at("2027-01-02T02:00:00") + 0.7) == "2027-01-02T02:00:00Z"
