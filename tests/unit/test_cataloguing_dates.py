import pytest

from services.cataloguing.dates import date_of, year_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1998-09-01", "1998-09-01"),
        ("1998-9-1", "1998-09-01"),
        ("1998-09", "1998-09"),
        ("2021", "2021"),
        (2015, "2015"),
        (2015.0, "2015"),
        (" 2015 ", "2015"),
        ("1999-01-01T00:00:01Z", "1999"),
        ("1999-05-04T00:00:01Z", "1999-05-04"),
        ("19980901", "1998-09-01"),
        (19980901, "1998-09-01"),
        ("c1998.", "1998"),
        ("[1998]", "1998"),
        ("September 1998", "1998-09"),
        ("Sep 01, 2015", "2015-09-01"),
        ("July 31, 2007", "2007-07-31"),
        ("1 January 2001", "2001-01-01"),
        ("Feb. 30th, 2001", "2001-02"),
        ("Spring 2001", "2001"),
        ("09/01/1998", "1998"),
        ("2015-02-31", "2015-02"),
        ("2015-13-01", "2015"),
        ("2015-00-00", "2015"),
        ("1998-1999", ""),
        ("0001-01-01T00:00:00Z", ""),
        (0, ""),
        (-50, ""),
        (9999, ""),
        (1420070400, ""),
        (10**300, ""),
        (1e300, ""),
        (True, ""),
        (None, ""),
        ([2015], ""),
        ("", ""),
        ("soon", ""),
        ("\uff12\uff10\uff11\uff15", "2015"),
    ],
)
def test_date(value: object, expected: str) -> None:
    """Of a date there remains as much as can be true, in ISO 8601."""
    assert expected == date_of(value)


@pytest.mark.parametrize(("date", "expected"), [("1998-09-01", 1998), ("1998", 1998), ("", 0)])
def test_year(date: str, expected: int) -> None:
    """The year is that of the date, and 0 where there is none."""
    assert expected == year_of(date)
