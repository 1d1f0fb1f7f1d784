"""From what a person types to a query, and from a query to its cache key: the only place that makes either. Pure.

Whether a text is a title or an author is not decided here. Counting words took a fifth of all titles for authors; the
answers of the providers are the evidence that decides it.
"""

import enum
import hashlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from services.books.isbn import bare, is_isbn_shaped, isbn13_of
from services.books.series import without_series
from services.cataloguing.languages import language_of

DEFAULT_LANGUAGE = "en"

KEY_VERSION = "v2"
"""Raised whenever an answer means something else under the same key; older entries then die unread."""

_READABLE_KEY = 120
"""Bytes of a text that its key shows as it is; a longer one shows its hash."""

_QUOTES = str.maketrans(dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4", "'"))


class OrderBy(enum.Enum):
    """How results are ordered."""

    RELEVANCE = "relevance"
    NEWEST = "newest"


class InvalidQueryError(ValueError):
    """A query that can't be searched for.

    Args:
        reason: a word of ErrorReason.
        message: a sentence for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search, understood as far as it can be without asking anyone."""

    text: str
    """What was typed, in Unicode's composed form and without blanks at its ends."""
    normal: str
    """What the key is made of: folded, without series and punctuation; the ISBN-13 for an ISBN."""
    isbn13: str
    """The ISBN-13, for an ISBN of either length; empty for a text."""
    language: str
    """The language asked for."""
    include_translations: bool
    """Other languages are wanted too."""
    order_by: OrderBy
    """How results are ordered."""


def parse(
    q: str,
    *,
    language: str = "",
    include_translations: bool = False,
    order_by: OrderBy = OrderBy.RELEVANCE,
) -> Query:
    """Understands a query. How long it may be, and what a language looks like, is the contract's to say.

    Args:
        q: what was typed.
        language: a primary language subtag, "eng" as well as "en"; "en" when empty.
        include_translations: other languages are wanted too.
        order_by: how results are ordered.

    Raises:
        InvalidQueryError: there is nothing to search for, or an ISBN's check digit is wrong.
    """
    text, isbn13, normal = _understood(q)
    return Query(
        text=text,
        normal=normal,
        isbn13=isbn13,
        language=language_of(language) or language.lower() or DEFAULT_LANGUAGE,
        include_translations=include_translations,
        order_by=order_by,
    )


@lru_cache(maxsize=4096)
def _understood(q: str) -> tuple[str, str, str]:
    """The text, the ISBN-13 and the normal form of what was typed; kept, for what is popular comes again and again.

    Raises:
        InvalidQueryError: as `parse`.
    """
    text = unicodedata.normalize("NFKC", q).strip()
    # A series in brackets is told from a title by its brackets, which the normal form has no more.
    normal = normal_form(without_series(text))
    # Whatever parts the digits, one normal form has one meaning.
    for number in (bare(q), bare(normal)):
        if is_isbn_shaped(number):
            if isbn13 := isbn13_of(number):
                return text, isbn13, isbn13
            raise InvalidQueryError("INVALID_ISBN", "this has the shape of an ISBN, but its check digit is wrong")
    if not normal:
        raise InvalidQueryError("EMPTY_QUERY", "there is nothing to search for in this query")
    return text, "", normal


def normal_form(text: str) -> str:
    """A text as keys and comparisons see it: one case, no punctuation, single blanks; letters of every script stay.

    Symbols stay too, for C and C++ are different books. A text without a letter, digit or symbol is empty.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_KEPT).split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES))
    return " ".join(folded.translate(_KEPT).split())


class _Kept(dict[int, str]):
    """What becomes of each character, found out once: letters, digits and symbols stay, and all else parts words."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        kept = letter if unicodedata.category(letter)[0] in "LMNS" or letter in "#&@%*" else " "
        self[code] = kept
        return kept


# An apostrophe inside a word goes without a gap, as in "o'brien" and "it's".
_KEPT = _Kept({ord("'"): "", ord("`"): ""})


def cache_key(query: Query) -> str:
    """The one key of a query.

    An ISBN names a book whatever the language and order, so its key has neither. How many results are asked for is in
    no key: the entry holds the whole list, and the answer is cut.
    """
    if query.isbn13:
        return f"{KEY_VERSION}:isbn:{query.isbn13}"
    scope = "all" if query.include_translations else "own"
    return f"{KEY_VERSION}:text:{query.language}:{scope}:{query.order_by.value}:{_shown(query.normal)}"


def bibliography_key(name: str, language: str) -> str:
    """The one key of an author's works in one language, whatever the page.

    Args:
        name: the key of the author's name, as `likeness.printed_name_key` makes it.
        language: the language asked for, as `Query.language` has it.
    """
    return f"{KEY_VERSION}:author:{language}:{_shown(name)}"


def _shown(normal: str) -> str:
    """A text as a key shows it: readable where it is short and ASCII, else a hash; a sign tells the two apart."""
    if normal.isascii() and len(normal) <= _READABLE_KEY:
        return "=" + normal.replace(" ", "_")
    return "#" + hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()
