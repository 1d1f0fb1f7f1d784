"""The only place that decides which address of a cover is given on."""

import re
from urllib.parse import urlsplit

from services.cataloguing.text import line_of

_SIMPLE = re.compile(r"[A-Za-z0-9.-]+/[!-~]*")
"""A host and a path without anything that would have to be taken apart to be understood."""


def cover_of(value: object) -> str:
    """An https address, or "" where the value holds no address; records also write "http" and "Https"."""
    text = line_of(value, limit=2_000)
    scheme, mark, rest = text.partition("://")
    if scheme.casefold() not in ("http", "https") or not mark or " " in rest:
        return ""
    if _SIMPLE.fullmatch(rest):
        return f"https://{rest}"
    try:
        return f"https://{rest}" if urlsplit(f"https://{rest}").hostname else ""
    except ValueError:
        return ""
