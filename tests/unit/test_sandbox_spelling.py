"""Which words are nearly the same."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.spelling import Vocabulary

WORDS = st.text("abc", min_size=1, max_size=5)


def _distance(left: str, right: str) -> int:
    """The edits between two words, by the table of the textbook."""
    table = [[max(row, column) for column in range(len(right) + 1)] for row in range(len(left) + 1)]
    for row in range(1, len(left) + 1):
        for column in range(1, len(right) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (left[row - 1] != right[column - 1]),
            )
            if row > 1 and column > 1 and left[row - 2 : row] == right[column - 2 : column][::-1]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return table[-1][-1]


@given(st.sets(WORDS, max_size=40), WORDS, st.integers(0, 2))
def test_what_is_near_is_what_the_table_says(words: set[str], word: str, edits: int) -> None:
    """The walk that passes most words over finds the same as a look at every one."""
    expected = tuple(sorted(known for known in words if _distance(known, word) <= edits))
    assert expected == Vocabulary(words).near(word, edits)


def test_each_kind_of_edit_is_one() -> None:
    """A letter more, one less, another one, and two that change places; two edits are too many."""
    vocabulary = Vocabulary(["dune", "dunes", "une", "dane", "udne", "sand"])
    assert vocabulary.near("dune", 1) == ("dane", "dune", "dunes", "udne", "une")


def test_words_of_any_script_are_compared() -> None:
    """No alphabet is built in."""
    assert Vocabulary(["чехов", "гоголь"]).near("чехав", 1) == ("чехов",)
