"""The only place that tells in which code page a file is that is no Unicode, by the names of its columns. Pure.

A spreadsheet writes the code page of its country: Windows-1252 in the west, others in the east. Bytes alone don't tell
them apart, but a header has names in one of them and rubbish in all others.
"""

import re

from services.warmer.library.header_names import NAMES, plain

_PAGES = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "cp949", "mac-roman")
"""The likeliest first: it counts where several make names of a header."""

_LINES = 30
"""Lines among which a header is looked for."""

_CELLS = re.compile(r"[,;\t|]")

_KNOWN = frozenset(name for names in NAMES.values() for name in names)


def page_of(start: bytes) -> str:
    """The code page in which most names of columns are known, by the name that codecs has for it.

    Args:
        start: the first bytes of a file that is no UTF-8.
    """
    lines = [line for line in start.splitlines()[:_LINES] if not line.isascii()]
    return max(_PAGES, key=lambda page: max((_names_in(line, page) for line in lines), default=0))


def _names_in(line: bytes, page: str) -> int:
    try:
        text = line.decode(page)
    except UnicodeDecodeError:
        return 0
    return sum(plain(cell) in _KNOWN for cell in _CELLS.split(text))
