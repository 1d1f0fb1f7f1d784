"""The only place that says what a text may mean before anyone is asked: a title, a name, or "title by author". Pure."""

import re
from dataclasses import dataclass

from services.books.likeness import words_of
from services.books.series import without_series
from services.cataloguing.names import display_name

_BY = re.compile(r"(?i)^(?P<title>\S.*?)[\s,]+by\s+(?P<author>\S.*)$")
_LAST_BY = re.compile(r"(?i)^(?P<title>\S.*)[\s,]+by\s+(?P<author>\S.*)$")
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_SUBTITLE = re.compile(r"\s*(?::|;|\s[-\u2013\u2014]|--)\s+\S.*$")

_SHORTEST = 2
"""Letters that what is left of a title must have."""

_ENGLISH = "a an and as at but by for from in into is it its of on or the to with"
_OTHERS = (
    "de des di do du el en et la las le les los un una une y e il lo i der die das den dem ein eine und von zu im am"
)
_FUNCTION_WORDS = frozenset(f"{_ENGLISH} {_OTHERS}".split())
"""Words that are in every other title, so that they find nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text may mean. Which of it holds, the answers decide: "Stand by Me" is no work of Me's."""

    whole: str
    """The text as one title or name, without a series at its end."""
    title: str = ""
    """The part before "by"; "" where there is no such word."""
    author: str = ""
    """The part after it."""
    main: str = ""
    """The title without what may be a subtitle or a publisher's line; "" where there is no such part."""

    @property
    def name(self) -> str:
        """The text as a name, first name first."""
        return display_name(self.whole) or self.whole

    @property
    def parts(self) -> str:
        """Both parts without the word between them."""
        return f"{self.title} {self.author}".strip()

    @property
    def telling_words(self) -> tuple[str, ...]:
        """The words of the title that tell it from others, folded; all of them where none does."""
        words = words_of(self.title or self.whole)
        return tuple(dict.fromkeys(word for word in words if word not in _FUNCTION_WORDS)) or words


def reading_of(text: str) -> Reading:
    """What a text may mean; whatever it is, it never fails."""
    return _read(text, _BY)


def reading_with_author(text: str) -> Reading:
    """What a text means that is known to end with its author: "Stand by Me by Stephen King" has two words "by"."""
    return _read(text, _LAST_BY)


def _read(text: str, by: re.Pattern[str]) -> Reading:
    whole = without_series(" ".join(text.split()))
    match = by.match(whole)
    if match is None:
        return Reading(whole=whole, main=_main(whole))
    title = without_series(match["title"])
    return Reading(whole=whole, title=title, author=match["author"], main=_main(title))


def _main(title: str) -> str:
    """The title before what may be its subtitle: "Sapiens: A Brief History", "The Godfather (Film Tie-In)"."""
    shorter = _SUBTITLE.sub("", _IN_BRACKETS.sub("", title)).strip()
    return shorter if shorter != title and sum(map(str.isalnum, shorter)) >= _SHORTEST else ""
