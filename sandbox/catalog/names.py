"""The only place that knows how a library writes a person's name, and turns it into the form of a book's cover."""

import re
import unicodedata

# "Stone, Lynn M." and "King, Martin Luther, Jr." keep their full stop, "Morris, Gilbert." is only punctuated.
_STOP_BELONGS = re.compile(r"(?:^|[\s.\-])\w\.$|\b(?:Jr|Sr|St|Ph\.D|Mrs|Mr|Dr)\.$")
# Commas and full stops of Arabic and of Chinese stand beside those of Latin; escaped, for they look alike.
_COMMA = re.compile(r"\s*[,\u060c\uff0c]\s*")
_GENERATION = re.compile(r"\b(Jr|Sr|II|III|IV)\b\.?")
_RANK = re.compile(r"Saint|Pope|King|Queen|Emperor|Sir|Dr|Mother|Brother|Sister|Rabbi|Maulana|\(", re.IGNORECASE)
_SURNAME_ENTRY = "1"
_FORENAME_ENTRY = "0"


def ideographic(text: str) -> bool:
    """Tells whether a name is written in Han, kana or hangul, where the family name comes first and no comma is due."""
    return any(unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for char in text)


def first_last(heading: str, entry: str, *, numeration: str = "", addition: str = "") -> str:
    """Turns a heading into the name as a cover has it: "Le Guin, Ursula K.," is "Ursula K. Le Guin".

    Args:
        heading: Subfield $a of a MARC 100 or 700 field.
        entry: The field's first indicator: "0" is entered under the forename, "1" under the surname.
        numeration: Subfield $b, the "II" of "John Paul II".
        addition: Subfield $c; of it generations ("Jr.") and bynames ("Aquinas") are part of a cover's name.

    Returns:
        The name, or "" for a heading that is no person's (a family, "3").
    """
    name = _trim(unicodedata.normalize("NFC", heading))
    if entry not in (_SURNAME_ENTRY, _FORENAME_ENTRY) or not name:
        return ""
    if ideographic(name):
        return "".join(_COMMA.sub(" ", name.removesuffix(".")).split())
    if entry == _FORENAME_ENTRY and "," not in name:
        return " ".join(f"{name} {_trim(numeration)} {_byname(name, addition)}".split())
    last, first, *rest = [*_COMMA.split(name), ""]
    if not first and addition.startswith("Dr"):
        return f"Dr. {last}"  # "Seuss, Dr" and nobody else has no forename and a title on the cover
    generation = _GENERATION.search(" ".join([addition, *rest]))
    tail = f" {generation.group()}" if generation else ""
    return " ".join(f"{first} {last}{tail}".split())


def _byname(name: str, addition: str) -> str:
    """What tells one Thomas from another ("Aquinas", "of Kempis"); a rank ("Saint", "Pope") does not."""
    byname = _trim(_COMMA.split(addition)[0])
    return "" if " " in name or _RANK.match(byname) else byname


def _trim(text: str) -> str:
    """Takes off what the cataloguing rules put behind a name: commas, colons, and a full stop that is no initial's."""
    text = text.strip().rstrip(",;:\u060c\uff0c\uff0e\u3002 ").strip()
    return text.removesuffix(".") if text.endswith(".") and not _STOP_BELONGS.search(text) else text
