"""The only place that reads how many pages a book has."""

import re

from services.cataloguing.text import line_of

PAGE_LIMIT = 100_000
"""Pages that a book can have; what is more is some other number."""

_PAGES = re.compile(r"(?<![\d-])[0-9]{1,6}(?!\d)")


def page_count_of(value: object) -> int:
    """Pages out of a number or a text such as "xii, 304 p."; 0 where the value tells of none."""
    match = _PAGES.search(line_of(value).replace(",", ""))
    return int(match[0]) if match and int(match[0]) <= PAGE_LIMIT else 0
