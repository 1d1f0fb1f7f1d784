"""The only place in the sandbox that computes ISBN check digits (ISO 2108)."""

import re

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]")
_ISBN10 = re.compile(r"\d{9}[\dX]")
_ISBN13 = re.compile(r"97[89]\d{10}")
_TEN = 10
_ELEVEN = 11


def check13(body: str) -> str:
    """The check digit of an ISBN-13's first twelve digits."""
    return str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body)) % _TEN)


def check10(body: str) -> str:
    """The check digit of an ISBN-10's first nine digits; X stands for ten."""
    rest = -sum(int(digit) * (_TEN - at) for at, digit in enumerate(body)) % _ELEVEN
    return "X" if rest == _TEN else str(rest)


def to13(text: str) -> str:
    """The ISBN-13 of an ISBN of either length, separators allowed, or "" when it is none or a check digit is wrong."""
    digits = _SEPARATORS.sub("", text).upper()
    if _ISBN13.fullmatch(digits):
        return digits if digits[-1] == check13(digits[:-1]) else ""
    if _ISBN10.fullmatch(digits) and digits[-1] == check10(digits[:-1]):
        return f"978{digits[:-1]}{check13(f'978{digits[:-1]}')}"
    return ""


def to10(isbn13: str) -> str:
    """The ISBN-10 of a valid ISBN-13, or "" for the 979 range, which has none."""
    return f"{isbn13[3:-1]}{check10(isbn13[3:-1])}" if isbn13.startswith("978") else ""
