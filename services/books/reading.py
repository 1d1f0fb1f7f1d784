"""The only place that says what a text may mean before anyone is asked: a title, a name, or "title by author". Pure."""

import re
from dataclasses import dataclass

from services.books.likeness import without_series

_BY = re.compile(r"(?i)^(?P<title>\S.*?)[\s,]+by\s+(?P<author>\S.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text may mean. Which of it holds, the answers decide: "Stand by Me" is no work of Me's."""

    whole: str
    """The text as one title or name, without a series at its end."""
    title: str = ""
    """The part before "by"; "" where there is no such word."""
    author: str = ""
    """The part after it."""

    @property
    def parts(self) -> str:
        """Both parts without the word between them."""
        return f"{self.title} {self.author}".strip()


def reading_of(text: str) -> Reading:
    """What a text may mean; whatever it is, it never fails."""
    whole = without_series(" ".join(text.split()))
    match = _BY.match(whole)
    if match is None:
        return Reading(whole=whole)
    return Reading(whole=whole, title=without_series(match["title"]), author=match["author"])
