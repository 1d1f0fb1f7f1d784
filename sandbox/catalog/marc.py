"""The only place that knows ISO 2709: bytes of a MARC 21 file in, records with tagged fields out.

It is here rather than pymarc because this is all of the format that the derivation needs, and the package is no
dependency of the project: only its source distribution, which happens to carry the records.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_RECORD_END = b"\x1d"
_FIELD_END = b"\x1e"
_SUBFIELD = "\x1f"
_LEADER_LENGTH = 24
_ENTRY_LENGTH = 12
# Marks around an article that sorting skips (MARC 21, "Character sets: Nonsorting"), and marks of writing direction.
_INVISIBLE = dict.fromkeys(map(ord, "\x88\x89\x98\x9c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u200b\ufeff"))


@dataclass(frozen=True, slots=True)
class Field:
    """One variable field: its tag and its subfields in their order; a control field has one subfield with code ''."""

    tag: str
    indicators: str
    subfields: tuple[tuple[str, str], ...]

    def first(self, code: str) -> str:
        """The first subfield of this code, or ''."""
        return next((value for found, value in self.subfields if found == code), "")

    def all(self, codes: str) -> list[str]:
        """Every subfield whose code is one of the codes, in the order of the record."""
        return [value for found, value in self.subfields if found in codes]


@dataclass(frozen=True, slots=True)
class Record:
    """One bibliographic record: its leader and its fields, original-script twins (880) kept apart."""

    leader: str
    fields: tuple[Field, ...]

    def control(self, tag: str) -> str:
        """The text of a control field (001-009), or ''."""
        return next((field.subfields[0][1] for field in self.fields if field.tag == tag), "")

    def all(self, tag: str) -> list[Field]:
        """Every field of the tag, in the order of the record."""
        return [field for field in self.fields if field.tag == tag]

    def twin(self, field: Field) -> Field | None:
        """The same field in its original script, or None.

        A field and its 880 name each other in $6 as "880-NN" and "TAG-NN/script" (MARC 21, Appendix A).
        """
        link = field.first("6")
        if not link.startswith("880-"):
            return None
        wanted = f"{field.tag}-{link[4:6]}"
        return next((other for other in self.all("880") if other.first("6").startswith(wanted)), None)


def records(chunks: Iterable[bytes]) -> Iterator[Record]:
    """Reads the records of a MARC 21 file in UTF-8.

    Args:
        chunks: The file in pieces of any size.

    Yields:
        Each record; one whose directory cannot be read is left out, as a library's own loader would.
    """
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(_RECORD_END)
        for raw in whole:
            try:
                yield parse(raw)
            except (ValueError, IndexError):
                continue


def parse(raw: bytes) -> Record:
    """Reads one record without its end mark.

    Raises:
        ValueError: The leader or the directory is not what ISO 2709 says, or the text is not UTF-8.
    """
    base = int(raw[12:17])
    fields = []
    for at in range(_LEADER_LENGTH, base - 1, _ENTRY_LENGTH):
        tag = raw[at : at + 3].decode("ascii")
        length, start = int(raw[at + 3 : at + 7]), int(raw[at + 7 : at + 12])
        data = raw[base + start : base + start + length].removesuffix(_FIELD_END)
        fields.append(_field(tag, unicodedata.normalize("NFC", data.decode("utf-8")).translate(_INVISIBLE)))
    return Record(raw[:_LEADER_LENGTH].decode("ascii"), tuple(fields))


def _field(tag: str, text: str) -> Field:
    """One field of the directory; tags below 010 have neither indicators nor subfields."""
    if tag < "010":
        return Field(tag, "", (("", text),))
    indicators, *parts = text.split(_SUBFIELD)
    return Field(tag, indicators, tuple((part[0], part[1:].strip()) for part in parts if part))
