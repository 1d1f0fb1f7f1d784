"""The only place that tells names that are turned round from lists of names, by their commas. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.cataloguing.names import display_name
from services.warmer.library.formats import Style
from services.warmer.library.nobody import is_nobody
from services.warmer.library.roles import has_role, is_short_role, letters, role_behind, says_nothing

_COMMAS = re.compile(r"\s*,\s*")
_BETWEEN = re.compile(r"[;|&/]")
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "mba", "dds", "edd", "psyd"})
_RANKS = re.compile(
    r"(?i)^(?:the\s+\S|(?:\d+\w+\s+)?(?:duke|duchess|earl|count|countess|king|queen|prince|princess|lord|lady|baron|"
    r"baroness|marquis|marquess|bishop|emperor|viscount)\s+of\b)"
)
_HONOURS = frozenset(
    {"sir", "dame", "lord", "lady", "graf", "baron", "baroness", "comte", "comtesse", "conde", "saint", "pseud"}
)
"""What libraries write behind a whole name that is turned round: "Tolstoy, Leo, graf"."""

_INITIALS = re.compile(r"(?:[^\W\d_](?:\.[\s-]*|[\s-]+|$)){1,4}")
_STOP = re.compile(r"(?<=[^\W\d_]{4})\.$")
"""What libraries write at the end of a heading; behind fewer letters it ends an abbreviation."""

_PARTICLES = frozenset(
    {"al", "ap", "ben", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el", "la", "le"}
    | {"les", "mac", "mc", "o'", "st", "st.", "ten", "ter", "van", "von", "zu", "zur", "af", "av", "bin", "ibn", "d'"}
)
"""Words that a surname of several words begins with."""

_DOTS = re.compile("[・·‧]")
"""What parts the names of a foreigner in Chinese and Japanese: there stands a whole name."""

_HAN = re.compile("[\u3400-\u9fff]+")
_HAN_HALF = 2
"""Han letters that a surname or a forename has at most; whole names have more."""

_NAME_WORDS = 4
_HALF = 0.5
_MOST = 0.6
_PAIR = 2


def names_in(text: str, style: Style) -> Iterable[str]:
    """The names in a text in which nothing but commas parts people, each first name first.

    Args:
        text: of one person or several.
        style: how its column writes people.
    """
    return _READERS[style](_parts(text))


def style_of(cells: Sequence[str]) -> Style:
    """How a column writes people: turned round where most cells are, a list where commas stand between whole names."""
    pieces = [piece for cell in cells for piece in _BETWEEN.split(cell) if piece.strip()]
    turned = straight = lists = 0
    for piece in pieces:
        parts = _parts(piece)
        if len(parts) == _PAIR:
            is_turned = looks_turned(*parts)
            turned += is_turned
            straight += not is_turned
        elif len(parts) > _PAIR:
            lists += all(len(part.split()) > 1 for part in parts)
    pairs = turned + straight
    if pairs and turned > _MOST * pairs and pairs >= _HALF * len(pieces):
        return Style.TURNED
    if straight + lists > max(turned, 1):
        return Style.LIST
    return Style.FREE


def looks_turned(last: str, first: str) -> bool:
    """Whether a comma turns one name round, as far as the two parts tell.

    A surname of one word before the comma is turned round; one of several is so where it begins with a particle, or
    where what follows can't be a whole name.
    """
    words, forenames = last.split(), first.split()
    if not (1 <= len(words) <= _NAME_WORDS and 1 <= len(forenames) <= _NAME_WORDS):
        return False
    if _DOTS.search(last + first) or (has_role(first) and len(first[: first.find("(")].split()) > 1):
        return False
    if _HAN.fullmatch(last) and _HAN.fullmatch(first):
        return len(last) <= _HAN_HALF and len(first) <= _HAN_HALF
    return len(words) == 1 or is_particle(words[0]) or len(forenames) == 1 or _is_initials(first)


def is_particle(word: str) -> bool:
    """Whether a surname of several words may begin with this one."""
    return word.casefold() in _PARTICLES


def _parts(text: str) -> list[str]:
    """Parts between commas, those put together that only go with the one before: "Jr.", "PhD", "The Duke of Sussex"."""
    found: list[str] = []
    for part in filter(None, _COMMAS.split(text.strip(" ,"))):
        name = _STOP.sub("", part)
        if found and (says_nothing(name) or is_nobody(name) or (len(found) > 1 and letters(name) in _HONOURS)):
            continue
        if found and (letters(name) in _SUFFIXES or _RANKS.match(name)):
            found[-1] += f", {name}"
        elif found and is_short_role(name):
            found[-1] += f" ({name})"
        else:
            found.append(role_behind(name))
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
    if len(names) > _PAIR and not any("," in name for name in names):
        if _is_first_turned(names):
            return [_turned(names[0], names[1]), *names[2:]]
        if len(names) % _PAIR == 0:
            return [_turned(last, first) for last, first in zip(names[::2], names[1::2], strict=True)]
    return [", ".join(names)]


def _is_first_turned(names: Sequence[str]) -> bool:
    """Whether the first person alone is turned round, as bibliographies have it: "Herbert, Frank, Brian Herbert"."""
    rest = names[2:]
    if not rest or not looks_turned(names[0], names[1]) or any(len(name.split()) == 1 for name in rest):
        return False
    return not any(map(looks_turned, rest[::2], rest[1::2]))


def _free(names: Sequence[str]) -> Iterable[str]:
    """Names in whichever order: "Le Guin, Ursula K." is one person, "Neil Gaiman, Terry Pratchett" are two."""
    if len(names) == _PAIR and "," not in names[0] + names[1]:
        return [_turned(*names)] if looks_turned(*names) else names
    if len(names) % _PAIR == 0 and all(len(last.split()) == 1 for last in names[::2]):
        return _turned_names(names)
    if len(names) > _PAIR and len(names[0].split()) == 1 and _is_first_turned(names):
        return _turned_names(names)
    return _listed(names)


_READERS: Mapping[Style, Callable[[Sequence[str]], Iterable[str]]] = {
    Style.ONE: _one,
    Style.LIST: _listed,
    Style.TURNED: _turned_names,
    Style.FREE: _free,
}


def _turned(last: str, first: str) -> str:
    """A name turned back; `display_name` knows which scripts and titles forbid it."""
    return display_name(f"{last}, {first}")


def _is_initials(name: str) -> bool:
    return "." in name and _INITIALS.fullmatch(name) is not None
