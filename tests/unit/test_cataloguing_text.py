import pytest

from services.cataloguing.text import line_of, prose_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Dune \n\t Messiah ", "Dune Messiah"),
        ("Growing Up &amp; Facts of Life", "Growing Up & Facts of Life"),
        ("<i>Dune</i>", "Dune"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("田中 卓也 ~autofilled~", "田中 卓也"),
        ("~AutoFilled~", ""),
        ("e\u0301dition", "édition"),
        ("so\u00adft\u200b", "soft"),
        ("a\x00b", "a b"),
        ("half \ud800 pair", "half pair"),
        (1984, "1984"),
        (813.54, "813.54"),
        (10**400, ""),
        (True, ""),
        (None, ""),
        (["a"], ""),
        ({"a": 1}, ""),
    ],
)
def test_line(value: object, expected: str) -> None:
    """A value becomes one clean line, or nothing when it is neither text nor a number."""
    assert expected == line_of(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("One.<br/><br/>Two.", "One.\nTwo."),
        ("<p>One.</p><p>Two &lt; three.</p>", "One.\nTwo < three."),
        ("One.&lt;br/&gt;Two.", "One.\nTwo."),
        ("Said &quot;no&quot; &#8212; twice", 'Said "no" — twice'),
        ("<script>alert('x')</script>Plain", "Plain"),
        ("<!-- hidden -->Plain", "Plain"),
        ("a  b\r\n\r\n\r\nc", "a b\nc"),
        (None, ""),
    ],
)
def test_prose(value: object, expected: str) -> None:
    """A synopsis loses its markup and keeps its paragraphs."""
    assert expected == prose_of(value)


def test_long_text_is_cut() -> None:
    """What is longer than the limit ends in an ellipsis within it."""
    assert line_of("word " * 100, limit=11) == "word word…"
