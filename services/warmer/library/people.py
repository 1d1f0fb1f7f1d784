"""The only place that makes people out of the author cells of a library. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from services.cataloguing.names import display_name
from services.cataloguing.text import line_of
from services.warmer.library.formats import Style

CELL_LENGTH = 1_000
"""Characters of a cell that are read."""

NAME_LENGTH = 200
"""Characters of a name; a longer one is a text in the wrong column."""

PEOPLE_LIMIT = 30
"""People of one book; longer lists are catalogues of contributors."""

NOBODY = frozenset(
    {
        "",
        "anonymous",
        "anon",
        "anonym",
        "anonyme",
        "anónimo",
        "anonimo",
        "anonymus",
        "аноним",
        "various",
        "various authors",
    }
    | {"various artists", "various contributors", "varies", "unknown", "unknown author", "author unknown", "unbekannt"}
    | {"inconnu", "desconocido", "sconosciuto", "onbekend", "okänd", "n/a", "na", "none", "null", "nan", "no author"}
    | {"not available", "undefined", "multiple", "multiple authors", "several", "several authors", "diverse", "divers"}
    | {
        "diverse autoren",
        "verschiedene",
        "verschiedene autoren",
        "collectif",
        "varios",
        "varios autores",
        "vv.aa",
        "vvaa",
    }
    | {
        "aa.vv",
        "aavv",
        "autori vari",
        "et al",
        "others",
        "and others",
        "uncredited",
        "autor desconocido",
        "佚名",
        "著者不明",
    }
)
"""Words that stand where nobody wrote a book, or nobody knows who: no author worth a search."""

_MARKS = re.compile(r"[,;&/|\\()\[\]{}<>~、，；•·]|\s(?:and|und|et|with)\s|^by\s|  |\bet al\b", re.IGNORECASE)
"""What makes a cell more than one plain name."""

_ODD = re.compile(r"[^A-Za-z .'-]")
"""What a plain name of ASCII letters has not."""

_BETWEEN = re.compile(r"\s*[;|/\\、；•]\s*")
"""What parts people beyond doubt; a comma may also stand inside one name."""

_JOINTS = re.compile(r"\s*&\s*|\s*,?\s+(?:and|und|et|with)\s+", re.IGNORECASE)
"""Words between two people."""

_TAIL = re.compile(r"(?i)(?:\bet\.? al\b\.?|\band others\b|\bet autres\b|\bu\. ?a\.|\(et al\.?\))\s*$")
_BRACKETS = re.compile(r"\s*[(\[{<]([^()\[\]{}<>]*)[)\]}>]\s*")
_BY = re.compile(r"(?i)^by\s+")
_COMMAS = re.compile(r"\s*[,，]\s*")
_ROLES = re.compile(
    r"(?i)\b(?:transl|übers|traduc|tradutt|vertal|illustr|illus\b|ill\b|narr|read(?:er| by)|photo|cover|intro|fore|"
    r"after|"
    r"preface|contrib|edit|hrsg|herausg|adapt|artist|colou?r|letter|ink|penc|design|compil|annot|comment|voice|sprecher)"
)
"""Roles of people who are not the author."""

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "mba", "dds", "edd", "psyd"})
_SHORT_ROLES = frozenset({"ed", "eds", "editor", "editors", "trans", "translator", "illustrator", "hrsg", "dir"})
_RANKS = re.compile(
    r"(?i)^(?:the\s+\S|(?:\d+\w+\s+)?(?:duke|duchess|earl|count|countess|king|queen|prince|princess|lord|lady|baron|"
    r"baroness|marquis|marquess|bishop|emperor|viscount)\s+of\b)"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]?){1,4}")
_PARTICLES = frozenset(
    {"al", "ap", "ben", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el", "la", "le"}
    | {"les", "mac", "mc", "o'", "st", "st.", "ten", "ter", "van", "von", "zu", "zur", "af", "av", "bin", "ibn", "d'"}
)
"""Words that a surname of several words begins with."""

_BODIES = frozenset({"company", "sons", "co", "inc", "ltd", "press", "schuster", "institute", "society", "brothers"})
_NAME_WORDS = 4


def clean(cell: str) -> str:
    """One line of text without markup, as `line_of` has it; what has nothing to clean is given back at once."""
    if (
        cell.isprintable()
        and not ("  " in cell or "<" in cell or "&" in cell or "~" in cell)
        and (cell.isascii() or unicodedata.is_normalized("NFC", cell))
        and len(cell) <= CELL_LENGTH
    ):
        return cell.strip()
    return line_of(cell, CELL_LENGTH)


def people(cell: str, style: Style = Style.FREE, *, is_more: bool = False) -> tuple[str, ...]:
    """The authors in a cell, each once, in their order, first name first.

    Roles are taken off, and who has one is left out where somebody else wrote the book. "Various" is nobody.

    Args:
        cell: as it stands in the file.
        style: how its column writes people.
        is_more: somebody is known to have written the book.
    """
    if not _ODD.search(cell) and "  " not in cell and len(cell) <= NAME_LENGTH:
        # Most of the world's authors: letters and blanks, and no word that may part two of them.
        name = cell.strip()
        low = name.lower()
        if name[:1].isalpha() and not (
            " and " in low or " und " in low or " et " in low or " with " in low or low.startswith("by ")
        ):
            return (name,) if low.rstrip(".") not in NOBODY and not low.endswith(" et al") else ()
    if _MARKS.search(cell):
        return _people(cell, style, is_more)
    name = clean(cell)
    return (name,) if is_somebody(name) else ()


@lru_cache(maxsize=4096)
def _people(cell: str, style: Style, is_more: bool) -> tuple[str, ...]:  # noqa: FBT001 - a cached function takes no keyword as fast
    text = _TAIL.sub("", _BY.sub("", clean(cell))).strip(" ,")
    if text.casefold().rstrip(".") in NOBODY:
        return ()
    authors: list[str] = []
    others: list[str] = []
    for part in _BETWEEN.split(text):
        for each in _persons(part, style):
            name, is_other = _without_role(each)
            if is_somebody(name):
                (others if is_other else authors).append(name)
    found = authors if authors or is_more else others
    return tuple({name.casefold(): name for name in reversed(found)}.values())[::-1][:PEOPLE_LIMIT]


def is_somebody(name: str) -> bool:
    """Whether a name can be searched for."""
    if name[:1].isalpha() or any(map(str.isalpha, name)):
        return len(name) <= NAME_LENGTH and name.casefold().rstrip(".") not in NOBODY
    return False


def without_others(names: Sequence[str], roles: str) -> tuple[str, ...]:
    """Those of some people whose role, in a list beside them, is that of an author."""
    words = [role.strip() for role in roles.split("|")]
    return tuple(name for at, name in enumerate(names) if at >= len(words) or not _ROLES.search(words[at]))


def full_name(first: str, last: str) -> str:
    """The name of somebody whose names stand in two columns."""
    return clean(f"{first} {last}")


def _without_role(name: str) -> tuple[str, bool]:
    """A name without what stands in brackets behind it, and whether that is another role than the author's."""
    is_other = any(_ROLES.search(found) for found in _BRACKETS.findall(name))
    bare = _BRACKETS.sub(" ", name)
    return " ".join(display_name(bare).split()) or " ".join(bare.split()).strip(" ,"), is_other


def _persons(part: str, style: Style) -> Iterable[str]:
    """The people of a part in which nothing but commas and words stands between them."""
    pieces = [piece for piece in _JOINTS.split(part) if piece.strip(" ,")]
    if len(pieces) > 1 and not _may_be_parted(pieces):
        pieces = [part]
    read = _READERS[style]
    for piece in pieces:
        names = _attached([name for name in _COMMAS.split(piece.strip(" ,")) if name])
        yield from read(names)


def _may_be_parted(pieces: Sequence[str]) -> bool:
    """Whether "and" stands between two people: not in "Will and Ariel Durant", nor in "Simon & Schuster"."""
    words = [piece.split() for piece in pieces]
    if any(word.casefold().strip(".,") in _BODIES for each in words for word in each):
        return False
    return not (len(words[0]) == 1 and len(words[-1]) > 1 and "," not in "".join(pieces))


def _attached(names: Sequence[str]) -> list[str]:
    """Parts between commas, those put together that only go with the one before: "Jr.", "PhD", "The Duke of Sussex"."""
    found: list[str] = []
    for name in names:
        if found and (_letters(name) in _SUFFIXES or _RANKS.match(name)):
            found[-1] += f", {name}"
        elif found and _letters(name) in _SHORT_ROLES:
            found[-1] += f" ({name})"
        else:
            found.append(name)
    return found


def _one(names: Sequence[str]) -> Iterable[str]:
    return [", ".join(names)]


def _listed(names: Sequence[str]) -> Iterable[str]:
    """A list of names; an initial alone is no name, so "Tolkien, J.R.R." is one person in a list as well."""
    found: list[str] = []
    for name in names:
        if found and _is_initials(name) and "," not in found[-1]:
            found[-1] = _turned(found[-1], name)
        else:
            found.append(name)
    return found


def _turned_names(names: Sequence[str]) -> Iterable[str]:
    if len(names) > 2 and len(names) % 2 == 0 and not any("," in name for name in names):  # noqa: PLR2004 - pairs
        return [_turned(last, first) for last, first in zip(names[::2], names[1::2], strict=True)]
    return [", ".join(names)]


def _free(names: Sequence[str]) -> Iterable[str]:
    """Names in whichever order: "Le Guin, Ursula K." is one person, "Neil Gaiman, Terry Pratchett" are two."""
    if len(names) == 2 and "," not in names[0] + names[1]:  # noqa: PLR2004 - "Last, First" has two parts
        return [_turned(*names)] if looks_turned(*names) else names
    if len(names) % 2 == 0 and all(len(last.split()) == 1 for last in names[::2]):
        return _turned_names(names)
    return _listed(names)


_READERS: dict[Style, Callable[[Sequence[str]], Iterable[str]]] = {
    Style.ONE: _one,
    Style.LIST: _listed,
    Style.TURNED: _turned_names,
    Style.FREE: _free,
}


def _turned(last: str, first: str) -> str:
    """A name turned back; `display_name` knows which scripts and titles forbid it."""
    return display_name(f"{last}, {first}")


def looks_turned(last: str, first: str) -> bool:
    """Whether a comma turns one name round, as far as the two parts tell.

    A surname of one word before the comma is turned round; one of several is so where it begins with a particle, or
    where what follows can't be a whole name.
    """
    words, forenames = last.split(), first.split()
    if not (1 <= len(words) <= _NAME_WORDS and 1 <= len(forenames) <= _NAME_WORDS):
        return False
    return len(words) == 1 or words[0].casefold() in _PARTICLES or len(forenames) == 1 or _is_initials(first)


def _is_initials(name: str) -> bool:
    return "." in name and _INITIALS.fullmatch(name) is not None


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.casefold()))
