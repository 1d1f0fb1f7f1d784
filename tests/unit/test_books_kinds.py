"""What a title says of what a work is: a guide, several works in one, or a book like any other."""

import re

import pytest
from bookmesh.type.v1.book_pb2 import WORK_KIND_COLLECTION, WORK_KIND_STUDY_GUIDE, WORK_KIND_UNSPECIFIED
from hypothesis import given
from hypothesis import strategies as st

from services.books import kinds
from services.books.kinds import kind_of_title

GUIDES = (
    "Dune: A Study Guide",
    "Spark Notes: Hamlet",
    "SparkNotes Hamlet",
    "Hamlet Lit Charts",
    "CliffsNotes on Hamlet",
    "Workbook for Atomic Habits",
    "Work Book for Atomic Habits",
    "Summary of Sapiens",
    "A Teacher\u2019s Guide to Dune",
)
SETS = (
    "Dune Box Set",
    "The Dune Slip Cased Edition",
    "Harry Potter Series Box",
    "Books 1-3",
    "Dune #1-3",
    "Vols. 1 - 3",
)
BOOKS = (
    *("Go Set a Watchman", "Set This House on Fire", "The Diary of a Young Girl", "The Guide", "Foundation", "Ubik"),
    *("Tristes Tropiques", "Notes from Underground", "The Book Thief", "Анна Каренина"),
)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        *((title, WORK_KIND_STUDY_GUIDE) for title in GUIDES),
        *((title, WORK_KIND_COLLECTION) for title in SETS),
        *((title, WORK_KIND_UNSPECIFIED) for title in BOOKS),
    ],
)
def test_kind_of_title(title: str, kind: int) -> None:
    """Guides and sets are known by several words together, in any case; a title that has one of them is a book."""
    assert [kind_of_title(each) for each in (title, title.upper(), title.lower())] == [kind] * 3


@pytest.mark.parametrize("pattern", [kinds._GUIDE, kinds._SET])
def test_no_match_goes_unseen(pattern: re.Pattern[str]) -> None:
    """Whatever a pattern matches has one of the words by which titles are picked for it, or letters beyond ASCII."""

    @given(st.from_regex(pattern))
    def check(title: str) -> None:
        assert not title.isascii() or any(hint in title.lower() for hint in kinds._HINTS)

    check()
