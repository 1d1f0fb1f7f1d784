"""A cron line has five fields, each within its range; what is wrong with one that has not is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.cron import cron_fault


@pytest.mark.parametrize(
    "line",
    [
        "*/15 * * * *",
        "0 2 * * *",
        "0,30 9-17 * * mon-fri",
        "0 0 1 JAN,jul *",
        "59 23 31 12 7",
        "10-50/10 * 1-15 * sun",
        "5/15 * * * *",
        "0 0 29 2 *",
        "0 0 30 2 mon",
    ],
)
def test_whole_line(line: str) -> None:
    """A line that cron understands has no fault."""
    assert cron_fault(line) == ""


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("* * * *", "'* * * *' has 4 fields, where cron has 5: minute, hour, day, month, day of week"),
        ("", "'' has 0 fields, where cron has 5: minute, hour, day, month, day of week"),
        ("60 * * * *", "'60 * * * *' can't be met: the minute '60' is not within 0 to 59"),
        ("* 24 * * *", "'* 24 * * *' can't be met: the hour '24' is not within 0 to 23"),
        ("* * 0 * *", "'* * 0 * *' can't be met: the day of month '0' is not within 1 to 31"),
        ("* * * 13 *", "'* * * 13 *' can't be met: the month '13' is not within 1 to 12"),
        ("* * * * 8", "'* * * * 8' can't be met: the day of week '8' is not within 0 to 7"),
        ("* * * jam *", "'* * * jam *' can't be met: the month 'jam' is not within 1 to 12"),
        ("mon * * * *", "'mon * * * *' can't be met: the minute 'mon' is not within 0 to 59"),
        ("30-10 * * * *", "'30-10 * * * *' can't be met: the minute '30-10' runs backwards"),
        ("*/0 * * * *", "'*/0 * * * *' can't be met: the minute '*/0' has a step that is not within 1 to 59"),
        ("5-5/15 * * * *", "'5-5/15 * * * *' can't be met: the minute '5-5/15' has a step from a number to itself"),
        (
            "0 0 30 2 *",
            "'0 0 30 2 *' can't be met: none of its months has a day of that number, so it would never fire",
        ),
        (
            "0 0 31 4,6,9,11 */2",
            "'0 0 31 4,6,9,11 */2' can't be met: none of its months has a day of that number, so it would never fire",
        ),
        ("1,,2 * * * *", "'1,,2 * * * *' can't be met: the minute '' is none"),
        ("-1 * * * *", "'-1 * * * *' can't be met: the minute '-1' is none"),
        ("@daily * * * *", "'@daily * * * *' can't be met: the minute '@daily' is none"),
    ],
)
def test_faulty_line(line: str, fault: str) -> None:
    """The first fault of a line is named, with the field and its range."""
    assert cron_fault(line) == fault


@given(st.text(alphabet="0123456789*/,- janmosu²", max_size=30))
def test_any_line(line: str) -> None:
    """Whatever a line says, the answer is a text, and never an exception."""
    assert isinstance(cron_fault(line), str)
