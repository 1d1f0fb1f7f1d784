"""The only place that makes people out of the author cells of a library. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from services.cataloguing.text import line_of
from services.warmer.library.decoding import undoubled
from services.warmer.library.formats import Style
from services.warmer.library.name_order import is_particle, names_in
from services.warmer.library.nobody import NOBODY, is_nobody
from services.warmer.library.roles import bracketed, without_role

CELL_LENGTH = 1_000
"""Characters of a cell that are read."""

NAME_LENGTH = 200
"""Characters of a name; a longer one is a text in the wrong column."""

PEOPLE_LIMIT = 30
"""People of one book; longer lists are catalogues of contributors."""

_MARKS = re.compile(
    r"[,;&/|+\\()\[\]{}<>~\n、•·著訳译譯編编\u3010\u3014\uff08\uff0c\uff0f\uff1b\uff3b]|^\W*\d+[.)]|"
    r"\s(?:and|und|et|with|avec|mit|by)\s|^by\s|  |\bet al\b|"
    r"^[-*\u2013]\s|\s(?:y|e|i|en|och|og|ja|és|ve|и|та|și|και|지음|저|글|옮김)(?:\s|$)",
    re.IGNORECASE,
)
"""What makes a cell more than one plain name."""

_ODD = re.compile(r"[^A-Za-z .'-]")
"""What a plain name of ASCII letters has not."""

_WORDS = frozenset({"and", "und", "et", "with", "avec", "mit", "by", "y", "e", "i", "en", "och", "og", "ja", "ve"})
"""Words of ASCII letters that may part two people, or name a role."""

_BETWEEN = re.compile(r"\s*[;|/\\、•]\s*|\s\+\s")
"""What parts people beyond doubt; a comma may also stand inside one name."""

_JOINTS = re.compile(r"(\s*&\s*|\s*,?\s+(?:(?i:and|und|et|with|avec|mit)|y|e|i|en|och|og|ja|és|ve|и|та|și|και)\s+)")
"""Words between two people."""

_SURE = frozenset({"&", "and", "und", "et", "with", "avec", "mit"})
"""Of these, the ones that stand inside no surname, as those of "Ortega y Gasset" and "Eça e Sousa" do."""

_TAIL = re.compile(
    r"(?i)(?:\bet\.? al\b\.?|\band others\b|\bet autres\b|\bu\. ?a\.|\be outros\b|\by otros\b|\(et al\.?\)|[他等]$)\s*$"
)
_BY = re.compile(r"(?i)^by\s+")
_NUMBER = re.compile(r"^\s*(?:\d{1,5}[.)]|[-*•\u2013])\s+")
"""What stands before each line of a list that somebody has numbered."""

_NEXT_LINE = re.compile(r"\s*\n\s*")
_NAMED = re.compile(r"""["']name["']\s*:\s*(?:"([^"]*)"|'([^']*)')""")
_QUOTED = re.compile(r"""(?<![^\W_])(?:"([^"]*)"|'((?:[^']|'(?=\w))*)')""")
"""What programs write that print a list of texts, or of objects: "['Jane Austen', \"Flann O'Brien\"]"."""

_BODIES = frozenset({"company", "sons", "co", "inc", "ltd", "press", "schuster", "institute", "society", "brothers"})


def clean(cell: str) -> str:
    """One line of text without markup, as `line_of` has it; what has nothing to clean is given back at once."""
    if not cell.isascii():
        cell = undoubled(cell)
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
        if name[:1].isalpha() and _WORDS.isdisjoint(low.split(" ")):
            return (name,) if low.rstrip(".") not in NOBODY else ()
    if _MARKS.search(cell):
        return _people(cell, style, is_more)
    name = clean(cell)
    return (name,) if is_somebody(name) else ()


@lru_cache(maxsize=4096)
def _people(cell: str, style: Style, is_more: bool) -> tuple[str, ...]:  # noqa: FBT001 - a cached function takes no keyword as fast
    text = _TAIL.sub("", _BY.sub("", clean(_unwrapped(cell)))).strip(" ,")
    if is_nobody(text):
        return ()
    authors: list[str] = []
    others: list[str] = []
    for part in _BETWEEN.split(bracketed(text)):
        for each in _persons(part, style):
            name, is_other = without_role(each)
            if is_somebody(name):
                (others if is_other else authors).append(name)
    found = authors if authors or is_more else others
    return tuple({name.casefold(): name for name in reversed(found)}.values())[::-1][:PEOPLE_LIMIT]


def is_somebody(name: str) -> bool:
    """Whether a name can be searched for."""
    if name[:1].isalpha() or any(map(str.isalpha, name)):
        return len(name) <= NAME_LENGTH and not is_nobody(name)
    return False


def full_name(first: str, last: str) -> str:
    """The name of somebody whose names stand in two columns."""
    return clean(f"{first} {last}")


def _unwrapped(cell: str) -> str:
    """A cell without what lists are written with: numbers, line breaks, a program's brackets and quotes."""
    text = _NUMBER.sub("", cell)
    if "\n" in text and any(" " in line.strip() for line in text.split("\n")):
        text = _NEXT_LINE.sub("; ", text.strip())
    bare = text.strip()
    if not (bare.startswith("[") and bare.endswith("]") and "[" not in bare[1:]):
        return text
    if "{" in bare:
        return "; ".join(filter(None, (found[0] or found[1] for found in _NAMED.findall(bare))))
    return "; ".join(found[0] or found[1] for found in _QUOTED.findall(bare)) or bare[1:-1]


def _persons(part: str, style: Style) -> Iterable[str]:
    """The people of a part in which nothing but commas and words stands between them."""
    pieces = _parted(part)
    if len(pieces) > 1 and not _may_be_parted(pieces):
        pieces = [part]
    for piece in pieces:
        yield from names_in(piece, style)


def _parted(part: str) -> list[str]:
    """What stands between the words that part people; "y" and "e" do so between whole names alone."""
    first, *others = _JOINTS.split(part)
    found = [first]
    for joint, piece in zip(others[::2], others[1::2], strict=True):
        if joint.strip(" ,").casefold() in _SURE or (_is_whole(found[-1]) and _is_whole(piece)):
            found.append(piece)
        else:
            found[-1] += joint + piece
    return [piece for piece in found if piece.strip(" ,")]


def _is_whole(name: str) -> bool:
    """Whether a name has a forename and a surname, as far as its words tell."""
    words = name.split()
    return len(words) > 1 and not is_particle(words[0])


def _may_be_parted(pieces: Sequence[str]) -> bool:
    """Whether "and" stands between two people: not in "Will and Ariel Durant", nor in "Simon & Schuster"."""
    words = [piece.split() for piece in pieces]
    if any(word.casefold().strip(".,") in _BODIES for each in words for word in each):
        return False
    return not (len(words[0]) == 1 and len(words[-1]) > 1 and "," not in "".join(pieces))
