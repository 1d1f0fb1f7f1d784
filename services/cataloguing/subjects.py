"""The only place that tells subjects from what else stands in their place in records."""

import re

from services.cataloguing.text import line_of

SUBJECT_LIMIT = 30
"""Subjects that are kept of one book."""

_SHELF_MARK = re.compile(r"^[A-Z]{1,2}$|^[A-Z]{1,3}\s?\d[\dA-Z .]*$")
_SHOP_WORDS = {"custom stores", "self service", "specialty boutique", "stores", "subjects"}
"""Departments of the shop that a record was read from."""


def subjects_of(value: object) -> tuple[str, ...]:
    """The subjects that say something, each once: no numbers, shelf marks or departments of a shop."""
    cells = value if isinstance(value, list) else [value]
    found: dict[str, str] = {}
    for cell in cells:
        subject = line_of(cell, limit=100)
        if any(char.isalpha() for char in subject) and not _SHELF_MARK.match(subject):
            found.setdefault(subject.casefold(), subject)
    return tuple(subject for key, subject in found.items() if key not in _SHOP_WORDS)[:SUBJECT_LIMIT]
