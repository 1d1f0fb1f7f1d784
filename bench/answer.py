"""The only place that knows what is asked and answered in a benchmark: the same content, whatever carries it.

The answer is made of the sandbox's catalogue, real books of the Library of Congress, so that it is what a search gives:
names and titles of every length, two editions here and one there. It is the same on every machine.
"""

import enum
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest, SearchAutoResponse
from google.protobuf.json_format import ParseDict

from sandbox.catalog import LOC
from sandbox.catalogue import Book
from sandbox.isbn import to10
from sandbox.shelf import read

Json = dict[str, Any]
"""An object of JSON, with the names of the contract."""

WORK_COUNT = 40
"""Works in the answer: MAX_RESULTS_DEFAULT, what a search gives when it is not told otherwise."""

_FORMATS = {"Hardcover": "FORMAT_HARDCOVER", "Paperback": "FORMAT_PAPERBACK", "Large Print": "FORMAT_OTHER_PRINT"}


class Question(enum.Enum):
    """What is asked; the value is the text of the query."""

    EMPTY = "nothing of that name"
    """The answer is empty: what is left is the cost of the call itself."""
    FORTY = "forty books"
    """The answer has forty works."""


def request(question: Question) -> SearchAutoRequest:
    """The request, as a stub takes it."""
    return SearchAutoRequest(q=question.value, max_results=WORK_COUNT)


def parameters(question: Question) -> Mapping[str, str | int]:
    """The request, as the query of a URL."""
    return {"q": question.value, "max_results": WORK_COUNT}


def as_dicts(question: Question) -> Json:
    """The answer as plain objects, made anew."""
    if question is Question.EMPTY:
        return {"results": []}
    works = [_work(editions) for editions in _picked()]
    edition_count = sum(len(work["editions"]) for work in works)
    return {
        "results": works,
        "interpretation": {"kind": "QUERY_KIND_TEXT", "normalized_text": question.value, "language": "en"},
        "provenance": {
            "tier": "TIER_HOT",
            "cache_time": "2026-11-23T08:00:00Z",
            "age_ms": 61_500,
            "fresh_until_time": "2026-11-30T08:00:00Z",
            "key": "search:v1:9b1c6f0e2a7d4358",
        },
        "providers": [
            {
                "provider": "isbndb",
                "state": "PROVIDER_STATE_ANSWERED",
                "edition_count": edition_count,
                "duration_ms": 412.5,
                "call_count": 1,
            }
        ],
    }


def as_message(question: Question) -> SearchAutoResponse:
    """The answer as a message."""
    return to_message(as_dicts(question))


def to_message(answer: Mapping[str, Any]) -> SearchAutoResponse:
    """Plain objects as a message, so that answers of different rivals can be compared.

    Raises:
        google.protobuf.json_format.ParseError: it is no such answer.
    """
    return ParseDict(dict(answer), SearchAutoResponse())


def size(question: Question) -> Mapping[str, int]:
    """What there is in the answer, and its bytes on the wire."""
    message, plain = as_message(question), as_dicts(question)
    return {
        "works": len(message.results),
        "editions": sum(len(work.editions) for work in message.results),
        "protobuf_bytes": message.ByteSize(),
        "json_bytes": len(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()),
    }


@cache
def _picked() -> Sequence[Sequence[Book]]:
    """Forty works in English of which everything is known, every other one with two editions."""
    works: defaultdict[str, list[Book]] = defaultdict(list)
    for book in read(LOC):
        known = (book.publisher, book.year, book.pages, book.binding, book.subjects, book.summary)
        if book.language == "en" and all(known):
            works[book.work].append(book)
    ones = [editions[:1] for editions in works.values() if len(editions) == 1]
    twos = [editions[:2] for editions in works.values() if len(editions) > 1]
    half = WORK_COUNT // 2
    return [editions for pair in zip(twos[:half], ones[:half], strict=True) for editions in pair]


def _work(editions: Sequence[Book]) -> Json:
    best = editions[0]
    return {
        "id": "w" + hashlib.blake2b(best.work.encode(), digest_size=10).hexdigest(),
        "title": best.title,
        "subtitle": best.subtitle,
        "authors": [{"name": name} for name in best.authors],
        "first_publication_year": min(book.year or 0 for book in editions),
        "identifiers": [{"scheme": "lccn", "value": best.work}],
        "editions": [_edition(book) for book in editions],
        "subjects": list(best.subjects),
        "synopsis": best.summary,
    }


def _edition(book: Book) -> Json:
    isbn = book.isbn13
    return {
        "isbn_13": isbn,
        "isbn_10": to10(isbn),
        "publisher": book.publisher,
        "publication_date": str(book.year),
        "page_count": book.pages,
        "format": _FORMATS.get(book.binding, "FORMAT_UNSPECIFIED"),
        "language": book.language,
        "cover_uri": f"https://images.isbndb.com/covers/{isbn[-4:-2]}/{isbn[-2:]}/{isbn}.jpg",
        "provider": "isbndb",
    }
