"""The only place that knows what the words of records for bindings mean."""

import re

from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_EBOOK,
    FORMAT_HARDCOVER,
    FORMAT_MASS_MARKET,
    FORMAT_NOT_A_BOOK,
    FORMAT_OTHER_PRINT,
    FORMAT_PAPERBACK,
    FORMAT_UNSPECIFIED,
    Format,
)

_MEANINGS: tuple[tuple[re.Pattern[str], Format.ValueType], ...] = (
    # The order decides for bindings with two words in them: "Hardcover-spiral", "Paperback + DVD", "Audio CD".
    (
        re.compile(r"large print|spiral|ring[ -]bound|comb|board book|loose|pamphlet|rag book|bath book"),
        FORMAT_OTHER_PRINT,
    ),
    (re.compile(r"mass[ -]market"), FORMAT_MASS_MARKET),
    (re.compile(r"kindle|e-?book|epub|nook|\bpdf\b|digital (?:book|download)|electronic|online"), FORMAT_EBOOK),
    (re.compile(r"audio|audible|mp3|cassette|spoken"), FORMAT_AUDIO),
    (re.compile(r"hard ?(?:cover|back|bound)|library bind|school|turtleback|leather|cloth|gebunden"), FORMAT_HARDCOVER),
    (
        re.compile(r"paper ?(?:back|bound)|soft ?(?:cover|back|bound)|perfect|trade paper|taschenbuch|broch"),
        FORMAT_PAPERBACK,
    ),
    (
        re.compile(
            r"dvd|blu-?ray|vhs|video|film|sheet music|\bcds?\b|cd-?rom|vinyl|music|software|game|toy|puzzle|calendar"
            r"|\bmaps?\b|\bcards?\b|poster|stationery|misc|accessory|merchandise|slide|microf"
        ),
        FORMAT_NOT_A_BOOK,
    ),
    (re.compile(r"diary|journal|staple|stitched|print on demand|\bprint(?:ed)?\b"), FORMAT_OTHER_PRINT),
)


def format_of(binding: str) -> Format.ValueType:
    """How an edition is bound; FORMAT_UNSPECIFIED for words that say nothing, such as "Unknown Binding"."""
    folded = binding.casefold()
    return next((meaning for pattern, meaning in _MEANINGS if pattern.search(folded)), FORMAT_UNSPECIFIED)
