"""The only place that takes from a title what catalogues append to it: its series, or what it is printed on. Pure."""

import re

_SERIES = re.compile(
    r"(?i)\s*[(\[][^()\[\]]*"
    r"(?:#\s*\d|\b(?:book|bk|vol|volume|no|part)\.?\s*\d|\b(?:series|trilogy|saga)\b)"
    r"[^()\[\]]*[)\]]\s*$"
)
"""As catalogues of readers write it: "Dune (Dune Chronicles, #1)", "Emma (The Austen Project)" not among them."""

_BRACKETED = re.compile(r"\s*\[[^\[\]]*\]\s*$")
"""As catalogues of libraries write what a work is printed on: "Dune [sound recording]"."""


def without_series(title: str) -> str:
    """A title without what is appended to it; the title itself where nothing else would be left."""
    while (shorter := _BRACKETED.sub("", _SERIES.sub("", title))) != title and any(map(str.isalnum, shorter)):
        title = shorter
    return title
