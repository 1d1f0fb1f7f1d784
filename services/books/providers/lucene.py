"""The only place that writes a text in Lucene's query syntax, as Open Library's search reads it. Pure."""

import unicodedata

from services.books.query import normal_form

_SHORTEST_FUZZY = 4
"""Letters below which a word with one letter wrong may be any other word."""


def words_of(text: str) -> str:
    """The words of a text alone, in lower case: signs, and AND, OR and NOT in capitals, are operators of the syntax."""
    plain = "".join(char for char in normal_form(text) if unicodedata.category(char)[0] in "LMN" or char == " ")
    return " ".join(plain.split())


def fuzzy_of(words: str) -> str:
    """The words with one letter of each long one left open; "" where no word is long enough."""
    split = words.split()
    fuzzy = [f"{word}~1" if len(word) >= _SHORTEST_FUZZY else word for word in split]
    return " ".join(fuzzy) if fuzzy != split else ""
