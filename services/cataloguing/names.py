"""The only place that turns the spellings of authors in records into the names that stand on books."""

import re
import unicodedata

from services.cataloguing.text import line_of

AUTHOR_LIMIT = 30
"""Authors that are kept of one book; longer lists are catalogues of contributors."""

_NOBODY = {
    "",
    "author unknown",
    "n/a",
    "na",
    "no author",
    "none",
    "not available",
    "null",
    "undefined",
    "unknown",
    "unknown author",
}
_DEGREES = {"ba", "bs", "dds", "dr", "edd", "esq", "jd", "ma", "mba", "md", "ms", "phd", "psyd", "rn"}
_MAYBE_FORENAMES = {"ba", "bs", "dr", "jd", "ma", "md", "ms"}
"""Of these, what may as well be initials, or be said in front of a name."""
_GENERATIONS = {"jr", "sr", "ii", "iii", "iv"}
_BODIES = {
    "and",
    "association",
    "co",
    "company",
    "corp",
    "inc",
    "institute",
    "llc",
    "ltd",
    "press",
    "society",
    "university",
}
_TITLES = {
    "the",
    "of",
    "duke",
    "earl",
    "count",
    "king",
    "queen",
    "prince",
    "princess",
    "lord",
    "lady",
    "baron",
    "saint",
}
_ROLE = re.compile(
    r"(?i)\s*[(\[](?:author|editor|ed\.?|illustrator|translator|trans\.?|narrator|contributor)s?[)\]]\s*$"
)
_YEARS = re.compile(r"^(?:b\.?\s*|born\s+)?\d{3,4}\s*[-\u2013]?\s*(?:\d{3,4})?$")
_LONGEST_SURNAME = 3
_LONGEST_FORENAMES = 4


def authors_of(value: object) -> tuple[str, ...]:
    """The authors of a book in their order, each once.

    Args:
        value: what a record has for its authors: a list, a list of objects with a name, one text, or anything else.
    """
    cells = value if isinstance(value, list) else value.split(";") if isinstance(value, str) else []
    names: dict[str, str] = {}
    for cell in cells:
        name = display_name(line_of(cell.get("name") if isinstance(cell, dict) else cell, limit=150))
        if name:
            names.setdefault(name.casefold(), name)
    return tuple(names.values())[:AUTHOR_LIMIT]


def display_name(text: str) -> str:
    """A name with the first name first, as it is printed: "Nelson, Bob, Ph.D." is "Bob Nelson".

    Whatever is not surely a person's name turned round is left as it stands.
    """
    text = _ROLE.sub("", text).strip(" ,;")
    if _folded(text) in _NOBODY or not any(map(str.isalpha, text)):
        return ""
    surname, *given = (part.strip() for part in text.split(","))
    rest = [part for part in given if part and _bare(part) not in _DEGREES and not _YEARS.match(part)]
    if not rest and given and " " not in surname and _bare(given[0]) in _MAYBE_FORENAMES:
        # A surname alone is no name, so "Robb, J.D." has initials and no degree in law.
        rest = given[:1]
    generations = [part for part in rest if _bare(part) in _GENERATIONS]
    forenames = [part for part in rest if _bare(part) not in _GENERATIONS]
    if len(forenames) > 1 or not surname:
        return text
    if not forenames:
        return " ".join([surname, *generations])
    if not _may_be_turned(surname, forenames[0]):
        return text
    if _is_family_first(surname):
        return f"{surname} {forenames[0]}"
    return " ".join([forenames[0], surname, *generations])


def _may_be_turned(surname: str, forenames: str) -> bool:
    words = surname.split(), forenames.split()
    if len(words[0]) > _LONGEST_SURNAME or len(words[1]) > _LONGEST_FORENAMES:
        return False
    bare = {_bare(word) for word in (*words[0], *words[1])}
    if bare & _BODIES or {_bare(word) for word in words[1]} & _TITLES or words[0][0].casefold() == "prince":
        return False
    return not any(char.isdigit() or char in "&/()[]" for char in surname + forenames)


def _is_family_first(name: str) -> bool:
    """Han, Kana and Hangul names put the family first on the book, too."""
    return any(unicodedata.name(char, "").startswith(("CJK ", "HIRAGANA ", "KATAKANA ", "HANGUL ")) for char in name)


def _folded(text: str) -> str:
    return text.casefold().strip(" .?-[]()")


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
