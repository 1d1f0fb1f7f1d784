"""The only place that decides which address of a cover is given on."""

from urllib.parse import urlsplit

from services.cataloguing.text import line_of


def cover_of(value: object) -> str:
    """An https address, or "" where the value holds no address; records also write "http" and "Https"."""
    text = line_of(value, limit=2_000)
    scheme, mark, rest = text.partition("://")
    if scheme.casefold() not in ("http", "https") or not mark or " " in rest:
        return ""
    try:
        return f"https://{rest}" if urlsplit(f"https://{rest}").hostname else ""
    except ValueError:
        return ""
