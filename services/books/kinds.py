"""The only place that tells a book from what is sold beside it: study guides, box sets, and what is no book. Pure.

Every rule wants more than one word that a title of its own may have: "Go Set a Watchman" is no set, "The Diary of a
Young Girl" no diary to write in, and "Set This House on Fire" a novel. A kind decides an order, and drops nothing.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from bookmesh.type.v1.book_pb2 import (
    FORMAT_NOT_A_BOOK,
    WORK_KIND_COLLECTION,
    WORK_KIND_NOT_A_BOOK,
    WORK_KIND_STUDY_GUIDE,
    WORK_KIND_UNSPECIFIED,
    Work,
    WorkKind,
)

from services.books.likeness import words_of

_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten)"

_GUIDE = re.compile(
    r"""(?ix)
    \b (?: (?:study|teaching|teacher'?s|reading|reader'?s|literature|discussion|instructor'?s|student'?s?) \s guide
    | cliff'?s? \s? notes | spark[ ]?notes | monarch \s notes | york \s notes | coles \s notes | book \s notes
    | lit[ ]?(?:notes|charts) | novel[ -] (?:units?|study|ties) | lesson \s plans? | work[ ]?book \s (?:for|to|on)
    | companion \s work[ ]?book | conversation \s starters | key \s takeaways | trivia[ -]on[ -]books
    | (?:chapter[ -]by[ -]chapter|plot|book) \s summary | super ?summary | a \s (?:brief\s)? companion \s to
    | (?:summary|synopsis) \s (?:and|&) \s | sidekick \s to | insights \s on \s .+ 's )
    | ^ (?: (?:an?\s)? summary \s of \b | (?:an?\s)? (?:analysis|review) \s of \s .+ (?: \b by \b | 's \b )
      | (?:quicklet|instaread|joosr|blinkist) \b ) """
)
"""What stands in the title of a guide to another work."""

_GUIDE_PUBLISHERS = re.compile(
    r"(?i)^(?:spark ?notes|spark publishing|cliff'?s? ?notes|shmoop|instaread|supersummary|gradesaver|bookrags"
    r"|brightsummaries(?:\.com)?|quickread|novel units|monarch press|coles notes|barron's book notes|worth books)\b"
)
"""Houses that publish nothing else."""

_SET = re.compile(
    rf"""(?ix)
    (?: \# \d+ \s? (?:-|\u2013) \s? \d+
    | \b (?: box(?:ed)? [ -]? sets? | boxset | gift \s set | slip[ ]?case[ds]? | omnibus
    | {_NUMBER} [ -] (?:books?|volumes?|novels?|titles?|copy) \s (?:box(?:ed)?\s)? (?:set|collection|bundle|pack|box)
    | (?:complete|entire|ultimate|deluxe) \s (?:[\w'-]+\s){{0,4}} (?:series|saga|trilogy|quartet|set|collection|boxed)
    | (?:series|saga|trilogy|quartet|hardcover|paperback|collection) \s (?:box(?:ed)?|set|bundle|pack|collection)
    | books? \s \d+ \s? (?:-|\u2013|&|and|to|through) \s? \d+ | (?:vols?\.?|volumes?) \s \d+ \s? (?:-|\u2013|to) \s? \d+
    | {_NUMBER} \s (?:[\w'-]+\s)? (?:books|novels|volumes) \s in \s (?:one|1)
    | {_NUMBER} \s (?:(?:complete|great|classic|bestselling)\s)? (?:novels|books) $ | ebook \s bundle ))\b"""
)
"""What stands in the title of several works sold as one."""


_HINTS = (
    *("guide", "notes", "charts", "novel", "lesson", "book", "starters", "takeaways", "trivia", "summary", "companion"),
    *("synopsis", "sidekick", "insights", "analysis", "review", "quicklet", "instaread", "joosr", "blinkist"),
    *("box", "set", "slip", "omnibus", "collection", "bundle", "pack", "series", "saga", "trilogy", "quartet"),
    *("vol", "#"),
)
"""Every title that one of the two patterns matches has one of these in it, and to see that costs a tenth of a match."""

_WHOLE = "collection collected collections complete selected works novels treasury library omnibus classics anthology"
_OWN_NAME = frozenset(f"the a of by and {_WHOLE}".split())
"""Words that, with nothing but the author's own name, make the title of several works: "The Poe Collection"."""


def kind_of(work: Work) -> WorkKind.ValueType:
    """What kind of thing a work is, as far as its titles, publishers and formats tell; UNSPECIFIED where they don't.

    What a provider said stands. Books about an author or a work are known only where one is asked for, so ranking
    finds them.
    """
    if work.kind != WORK_KIND_UNSPECIFIED:
        return work.kind
    if work.editions and all(edition.format == FORMAT_NOT_A_BOOK for edition in work.editions):
        return WORK_KIND_NOT_A_BOOK
    if _all_match(_GUIDE_PUBLISHERS, (edition.publisher for edition in work.editions)):
        return WORK_KIND_STUDY_GUIDE
    kind = kind_of_title(f"{work.title}: {work.subtitle}" if work.subtitle else work.title)
    return WORK_KIND_COLLECTION if kind == WORK_KIND_UNSPECIFIED and _bears_own_name(work) else kind


@lru_cache(maxsize=8192)
def kind_of_title(title: str) -> WorkKind.ValueType:
    """What a title says of its kind, its subtitle included; UNSPECIFIED for that of a book."""
    if title.isascii() and not any(map(title.lower().__contains__, _HINTS)):
        return WORK_KIND_UNSPECIFIED
    plain = title.replace("\u2019", "'")
    if _GUIDE.search(plain):
        return WORK_KIND_STUDY_GUIDE
    return WORK_KIND_COLLECTION if _SET.search(plain) else WORK_KIND_UNSPECIFIED


def _bears_own_name(work: Work) -> bool:
    """Whether a title is nothing but its author's name, and that there are several works in it."""
    words = set(words_of(work.title))
    rest = words - _OWN_NAME
    return words != rest and bool(rest) and any(rest <= set(words_of(author.name)) for author in work.authors)


def _all_match(pattern: re.Pattern[str], texts: Iterable[str]) -> bool:
    found = [bool(pattern.match(text)) for text in texts]
    return bool(found) and all(found)
