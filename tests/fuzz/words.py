"""What fields are filled with: values that mean something, values at the edges, and texts that nobody expects.

The texts are few enough that what a search caches under them stays small: a fuzz that made up new ones for ever would
fill any cache, and could not tell that from a leak.
"""

from collections.abc import Mapping, Sequence

SMALL: Sequence[int] = (0, 0, 1, 2, 50, 100)

INTEGERS: Sequence[int] = (0, 1, -1, 2, 49, 50, 99, 100, 101, 200, 201, 999, 1_000, 1_001, 10_000, 2**31 - 1, -(2**31))

WIDE: Sequence[int] = (*INTEGERS, 2**53, 2**63 - 1, -(2**63), 315_576_000_000, 315_576_000_001, 253_402_300_800)
"""For 64 bits: beside the edges of the type, those of Duration and Timestamp."""

FLOATS: Sequence[float] = (0.0, -0.0, 1.5, -1.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"))

ENUMS: Sequence[int] = (99, -1, 2**31 - 1, -(2**31))
"""Values that no version knows."""

ODD: Sequence[str] = (
    "",
    " ",
    "\t\r\n",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\x1c",
    "\ufeff",
    "\u200b",
    "\u202eabc",
    "\uffff",
    "\U0010ffff",
    "e\u0301" * 100,
    "\u0301" * 300,
    "ﷺ" * 200,
    "\u0958" * 200,
    "İ" * 200,
    "ß" * 512,
    "".join(chr(0x1D7CE + int(digit)) for digit in "9780441013593"),
    "".join(chr(0x660 + int(digit)) for digit in "9780441013593"),
    "½",
    "🦀" * 3,
    "🦀" * 512,
    "🦀" * 60_000,
    "x" * 200,
    "x" * 201,
    "x" * 512,
    "x" * 513,
    "x" * 5_000,
    "x" * 70_000,
    "+++",
    "C++",
    "%",
    "%00",
    "%zz/..%2f",
    "../../etc/passwd",
    "/",
    "?q=1&key=x#y",
    "*",
    "{}",
    "[" * 500,
    "'; DROP TABLE books; --",
    "${jndi:ldap://x}",
    "{0.__class__}",
    "%s%s%n",
    '=1+1"',
    "nan",
    "-1",
    "1e309",
    "v2:text:en:own:relevance:=dune",
    "v2:isbn:9780441013593",
)

IN_CATALOGUE: Sequence[str] = ("9788483009215", "9788484370048")
"""ISBNs of books that the sandbox has."""

HINTS: Mapping[str, Sequence[str]] = {
    "q": (
        *IN_CATALOGUE,
        "dune",
        "charles dickens",
        "9780441013593",
        "0441013597",
        "9780441013594",
        "moby dick herman melville",
    ),
    "author": ("Charles Dickens", "Melville, Herman", "村上春樹", "!!!"),
    "authors": ("Jane Austen", "Homer", "!!!", "Charles Dickens"),
    "isbn": (*IN_CATALOGUE, "9780441013593", "0-441-01359-7", "9780000000002", "9780441013594", "ISBN 080442957x"),
    "isbns": (*IN_CATALOGUE, "9780441013593", "0441013597", "9780000000002", "no isbn"),
    "language": ("en", "EN", "pt", "grc", "*", "en-US"),
    "key": ("v2:isbn:9780441013593", "v2:text:en:own:relevance:=dune"),
    "prefix": ("v2:", "v2:isbn:"),
    "library_id": ("ab" * 32, "AB" * 32),
    "job_id": ("warm-1", "../warm-1"),
    "request_id": ("r1", "r2", "x" * 64),
    "page_token": ("bm90LWEtdG9rZW4", "AAAA", "=", "0"),
    "name": ("ISBNDB_WORKER/GetBook", "ISBNDB_WORKER/*", "BOOKS_API_PROXY/*", "*/*", "/"),
    "cron": ("*/15 * * * *", "0 2 * * *", "@daily", "* * * * * *"),
    "file_name": ("library.csv", "../x.csv", "a\x00b.csv"),
    "service": ("bookmesh.books.v1.BooksService", "liveness", "readiness"),
}
"""Values that get past the rules, by the field's name."""

BYTES: Sequence[bytes] = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbfTitle,Author\nDune,Frank Herbert\n",
    b"Title,Author,ISBN13\n",
    b"Dune,Frank Herbert,9780441013593\nEmma,Jane Austen,\n",
    b"Title;Author\r\nDune;Frank Herbert\r\n",
    b'Book Id,Title,Author,ISBN,ISBN13\n1,Emma,"Austen, Jane","=""0141439580""","=""9780141439587"""\n',
    b"9780441013593\n0441013597\nnonsense\n",
    b'"never closed,Author\n' * 50,
    b"Title\n" + b"x" * 70_000,
    b"\x1f\x8b\x08\x00" + b"\x00" * 40,
    b"PK\x03\x04" + b"\x00" * 40,
    "Titel,Autor\nMärchen,Grimm\n".encode("latin-1"),
    "Title,Author\nDune,Frank Herbert\n".encode("utf-16"),
    b",,,,\n" * 2_000,
)
"""Libraries and what looks like one."""
