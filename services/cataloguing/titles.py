"""The only place that tells a work's title from its subtitle and its series, and when two titles are one."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

_SERIES = re.compile(
    r"""(?ix) \s* [(\[] [^()\[\]]*
    (?: \#\s*\d | \b(?:book|bk|vol|volume|no|part|number)\.?\s*\d | \b(?:series|trilogy|saga|classics?|editions?|library
      |paperback|hardcover|mass\ market|large\ print|translation|reprint)\b )
    [^()\[\]]* [)\]] \s* $"""
)
"""A series or the publisher's line in brackets at the end: "(Dune Chronicles, #1)", "(Penguin Classics)"."""

_GENERIC = re.compile(
    r"(?ix) ^ (?! .* \b graphic \b ) (?: an?\s (?: [\w'-]+\s ){0,3} | the\s )?"
    r"(?: novels? | novella | memoir | thriller | mystery | romance | stor(?:y|ies) | tales? | poems? | essays | play"
    r"| biography | autobiography ) $"
)
"""What a subtitle says that only tells the kind of book: "A Novel", "A Hercule Poirot Mystery"."""

_ARTICLE_LAST = re.compile(r"(?i)^(?P<rest>.+), (?P<article>the|an?)$")
_ARTICLE_FIRST = re.compile(r"^(?:the|an?) (?=.)")
_JOINTS = (" : ", ": ", " -- ", " — ", " - ")
_TRAILING = " /:;,=-—"


@dataclass(frozen=True, slots=True)
class Title:
    """A title in its parts."""

    main: str
    """Without series and subtitle."""
    subtitle: str
    """What follows it; "" when nothing does."""


def title_of(short: str, long: str) -> Title:
    """The parts of a title as a record gives it.

    A colon alone does not make a subtitle: "2001: A Space Odyssey" and "Mistborn: The Final Empire" are titles. It is
    one where the record says so, with a longer title beside the short one, or where it only names the kind of book.

    Args:
        short: `title`, clean.
        long: `title_long`, clean; either may be "".
    """
    main = _without_series(short or long)
    whole = _without_series(long)
    subtitle, folded_whole = "", whole.casefold()
    for joint in _JOINTS if folded_whole.startswith(main.casefold()) else ():
        if folded_whole.startswith(f"{main}{joint}".casefold()):
            subtitle = whole[len(main) + len(joint) :]
            break
    else:
        head, joint, tail = main.rpartition(": ")
        if joint and _GENERIC.match(tail):
            main, subtitle = head, tail
    return Title(_article_first(main.rstrip(_TRAILING) or main), subtitle.strip(_TRAILING))


def _without_series(title: str) -> str:
    while (shorter := _SERIES.sub("", title)) and shorter != title:
        title = shorter
    return title


def _article_first(title: str) -> str:
    match = _ARTICLE_LAST.match(title)
    return f"{match['article']} {match['rest']}" if match else title


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The words of a text without case, punctuation and the marks of Latin letters; other scripts keep theirs.

    A text without any letter or digit, such as "???", is itself: no two different texts may meet in "".
    """
    words = unicodedata.normalize("NFKC", text).replace("&", " and ").translate(_FOLDED).casefold().split()
    return " ".join(words) or text.casefold()


def title_key(main: str) -> str:
    """Equal for the titles of one work."""
    return _ARTICLE_FIRST.sub("", folded(main))


def name_key(name: str) -> str:
    """Equal for the spellings of one name: "J. K. Rowling" and "J.K. Rowling" are "j k rowling"."""
    return folded(name)


class _Folded(dict[int, str]):
    """What becomes of each character, found out once."""

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain(chr(code))
        return plain


_FOLDED = _Folded()


def _plain(char: str) -> str:
    if char in "'\u2019\u02bc`":
        return ""
    category = unicodedata.category(char)
    if category[0] not in "LMN":
        return " "
    return anyascii(char) if unicodedata.name(char, "").startswith("LATIN") else char
