"""The only place that reads the dates of records, which come as text in many forms and as numbers."""

import calendar
import re

EARLIEST_YEAR = 1_000
"""Older dates are defaults and slips of whoever entered them ("0001-01-01"), or of the work and not the edition."""
LATEST_YEAR = 2_100

_ISO = re.compile(r"^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:T(\d{2}:\d{2}:\d{2}).*)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_MONTHS = 12
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    rf"""(?ix) ^ (?: (\d{{1,2}}) \.? \s )? ({"|".join(_MONTH_NAMES)}) [a-z]* \.?
    (?: \s (\d{{1,2}}) (?: st|nd|rd|th )? )? ,? \s (\d{{4}}) $"""
)
"""Dates as English title pages have them: "Sep 01, 2015", "July 2007", "1 January 2001"."""


def date_of(value: object) -> str:
    """ISO 8601 with as much as is known: "1998-09-01", "1998-09", "1998"; "" when the value holds no date.

    Args:
        value: what the record gave: "1998-09", "2021", "1999-01-01T00:00:01Z", 2015, 2015.0, "c1998",
            "Sep 01, 2015", or anything else.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        value = int(value) if EARLIEST_YEAR <= value <= LATEST_YEAR else ""
    text = value.strip() if isinstance(value, str) else str(value) if abs(value) < 10**8 else ""
    if match := _COMPACT.match(text):
        return _checked(int(match[1]), int(match[2]), int(match[3]))
    if match := _ISO.match(text):
        year, month, day = (int(part) if part else 0 for part in match.groups()[:3])
        # An instant on New Year's Day stands for a year alone: whoever stored it had no more.
        return _checked(year, 0, 0) if match[4] and (month, day) == (1, 1) else _checked(year, month, day)
    if match := _NAMED.match(" ".join(text.split())):
        return _checked(int(match[4]), _MONTH_NAMES.index(match[2].lower()) + 1, int(match[1] or match[3] or 0))
    years = {int(year) for year in _YEAR.findall(text)}
    return _checked(years.pop(), 0, 0) if len(years) == 1 else ""


def year_of(date: str) -> int:
    """The year of what `date_of` gave; 0 for ""."""
    return int(date[:4]) if date else 0


def _checked(year: int, month: int, day: int) -> str:
    """As much of a date as can be true."""
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return ""
    if not 1 <= month <= _MONTHS:
        return f"{year:04}"
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return f"{year:04}-{month:02}"
    return f"{year:04}-{month:02}-{day:02}"
