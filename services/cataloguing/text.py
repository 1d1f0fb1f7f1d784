"""The only place that turns dirty values of records into clean text: markup, entities, spaces, hidden characters."""

import html
import re
import unicodedata

_BREAK = re.compile(r"(?i)<\s*(?:br|/p|/div|/li|/h[1-6]|hr)\b[^<>]*>")
_HIDDEN = re.compile(r"(?is)<!--.*?-->|<(script|style)\b[^<>]*>.*?</\1\s*>")
# A tag begins with a letter or a slash, so that "5 < 6" stays.
_TAG = re.compile(r"(?s)</?[a-zA-Z][^<>]*>")
_AUTOFILLED = re.compile(r"(?i)\s*~\s*autofilled\s*~\s*")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_CONTROLS: dict[int, str | None] = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"}
_UNSEEN: dict[int, str | None] = _CONTROLS | dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
"""What becomes of characters that nobody sees: controls are spaces; zero-width space, word joiner, byte order mark and
soft hyphen go, for they make equal texts differ."""

_MARKED = frozenset("&<~")
"""What stands in all that is to be cleaned away, beside what is not ASCII or not seen."""

_INTEGER_LIMIT = 10**18


def line_of(value: object, limit: int = 300) -> str:
    """One line of text without markup; "" for anything that is neither text nor a number.

    Args:
        value: whatever stood in the JSON.
        limit: characters that are kept.
    """
    return _shortened(" ".join(_plain(value).split()), limit)


def prose_of(value: object, limit: int = 2_000) -> str:
    """Text without markup that keeps its paragraphs; "" for anything that is no text.

    Args:
        value: whatever stood in the JSON.
        limit: characters that are kept, so that a page of a thousand books stays a message that can be sent.
    """
    text = _LINES.sub("\n", _SPACES.sub(" ", _plain(value))).strip()
    return _shortened(text, limit)


def _plain(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < _INTEGER_LIMIT else ""
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable() and _MARKED.isdisjoint(value):
        return value
    # Lone surrogates are valid JSON, but no text that can be sent.
    text = value.encode("utf-8", "ignore").decode()
    # Some records are escaped twice: "&lt;br/&gt;" is a tag as well.
    for _ in range(2):
        if "&" in text or "<" in text:
            text = html.unescape(_without_tags(text))
    text = _without_tags(text)
    if "~" in text:
        text = _AUTOFILLED.sub(" ", text)
    return unicodedata.normalize("NFC", text).translate(_UNSEEN)


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    return _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub(" ", text)))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
