"""How a query in Lucene's syntax is read."""

import pytest

from sandbox.lucene import Every, Leaf, Query, Some, Without, parse


def _known(name: str) -> bool:
    """The fields of these tests."""
    return name in {"title", "author"}


def _leaf(word: str, field: str = "", edits: int = 0) -> Leaf:
    """A word as it stands in a query without marks."""
    return Leaf(field, (word,), word, edits)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("dune", _leaf("dune")),
        ("dune messiah", Every((_leaf("dune"), _leaf("messiah")))),
        ('"dune messiah"', Leaf("", ("dune", "messiah"), "dune messiah")),
        ("title:dune", _leaf("dune", "title")),
        (
            "title:dune messiah author:herbert",
            Every((_leaf("dune", "title"), _leaf("messiah", "title"), _leaf("herbert", "author"))),
        ),
        ('title:"dune" sand', Every((_leaf("dune", "title"), _leaf("sand")))),
        (
            "title:(dune messiah) sand",
            Every((Every((_leaf("dune", "title"), _leaf("messiah", "title"))), _leaf("sand"))),
        ),
        ("dune~", _leaf("dune", edits=2)),
        ("dune~1 mesiah~2", Every((_leaf("dune", edits=1), _leaf("mesiah", edits=2)))),
        ("dune~0.8 dunes~9", Every((_leaf("dune"), _leaf("dunes", edits=2)))),
        ("dune OR sand", Some((_leaf("dune"), _leaf("sand")))),
        ("worm dune OR sand OR spice", Every((_leaf("worm"), Some((_leaf("dune"), _leaf("sand"), _leaf("spice")))))),
        ("dune AND sand", Every((_leaf("dune"), _leaf("sand")))),
        ("dune NOT sand", Every((_leaf("dune"), Without(_leaf("sand"))))),
        ("dune -sand", Every((_leaf("dune"), Without(_leaf("sand"))))),
    ],
)
def test_syntax_is_read(text: str, query: Query) -> None:
    """Words, phrases, fields, typing errors and operators."""
    assert query == parse(text, _known)


@pytest.mark.parametrize("text", ["", "   ", "()", "((", '"', "-", "~", "title:", "OR", "NOT", ")", "!?"])
def test_nothing_is_refused(text: str) -> None:
    """What holds no word asks for nothing, or for the word that it looks like."""
    assert parse(text, _known) in {Every(()), _leaf("title")}


def test_an_unknown_field_is_a_word() -> None:
    """A title with a colon is not torn: both sides are words of it."""
    assert parse("dune: messiah", _known) == Every((Leaf("", ("dune",), "dune"), _leaf("messiah")))


def test_initials_stay_together() -> None:
    """However they are spaced, they are the one word that the index has."""
    assert [parse(text, _known) for text in ("j. k. rowling", "J K rowling")] == [
        Every((Leaf("", ("jk",), text), _leaf("rowling"))) for text in ("j.k.", "J.K")
    ]
