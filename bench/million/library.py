"""Makes a library as large as one likes, the same in every run, as Goodreads would export it.

Of its rows 30 % have no ISBN, 15 % repeat a row before, half have a series behind the title, and one in seven has
letters beyond ASCII. Titles, names and ISBNs are made of syllables and numbers; a real book is among them by chance.
"""

import csv
import io
import random
from collections.abc import Iterator

SEED = 5
"""The library that figures are told of."""

CHUNK = 256 * 1024
"""Bytes of one part, about."""

NO_ISBN, REPEATED, SERIES, FOREIGN, SECOND_AUTHOR, REVIEW = 0.30, 0.15, 0.5, 0.15, 0.12, 0.05
"""Shares of the rows."""

BOOKS_AN_AUTHOR = 4
"""Rows for each author, on the average."""

HEADER = (  # noqa: SIM905 - the line as Goodreads writes it
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,"
    "Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,"
    "Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies"
).split(",")

_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo za bren chor dun fal grim kest lor mar".split()  # noqa: SIM905 - a list of these would fill a page
_LETTERS = str.maketrans("aeiou", "áéíöü")
_REMEMBERED = 10_000


def parts(rows: int, seed: int = SEED) -> Iterator[bytes]:
    """The file, in parts of about CHUNK bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in _rows(rows, random.Random(seed)):  # noqa: S311 - a made-up library, no secret
        writer.writerow(row)
        if out.tell() >= CHUNK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    if out.tell():
        yield out.getvalue().encode()


def _rows(count: int, dice: random.Random) -> Iterator[list[str]]:
    lately: list[list[str]] = []
    for number in range(count):
        if lately and dice.random() < REPEATED:
            yield dice.choice(lately)
            continue
        row = _row(number, count, dice)
        if len(lately) < _REMEMBERED:
            lately.append(row)
        else:
            lately[dice.randrange(_REMEMBERED)] = row
        yield row


def _row(number: int, count: int, dice: random.Random) -> list[str]:
    first, last = _person(dice.randrange(max(1, count // BOOKS_AN_AUTHOR)))
    title = " ".join(_word(dice) for _ in range(dice.randint(1, 5)))
    if dice.random() < FOREIGN:
        title = title.translate(_LETTERS)
    if dice.random() < SERIES:
        title += f" ({_word(dice)} {_word(dice)}, #{dice.randint(1, 12)})"
    second = " ".join(_person(dice.randrange(count))) if dice.random() < SECOND_AUTHOR else ""
    isbn10, isbn13 = ("", "") if dice.random() < NO_ISBN else isbns(dice.randrange(10**9))
    review = f"Liked it.\nWould read “{_word(dice)}” again." if dice.random() < REVIEW else ""
    return [
        *(str(number + 1), title, f"{first} {last}", f"{last}, {first}", second, f'="{isbn10}"', f'="{isbn13}"'),
        *(str(dice.randint(0, 5)), "3.97", f"{_word(dice)} Press", "Paperback", str(dice.randint(80, 900))),
        *("2004", "1998", "", "2021/04/25", "to-read, sci-fi", "to-read (#80), sci-fi (#12)", "to-read"),
        *(review, "", "", "0", "0"),
    ]


def _person(number: int) -> tuple[str, str]:
    dice = random.Random(number)  # noqa: S311 - the same number is always the same person
    name = _word(dice), f"{_word(dice)}{number % 97 or ''}".rstrip("0123456789") + _word(dice).lower()
    return (name[0], name[1].translate(_LETTERS)) if dice.random() < FOREIGN else name


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(_SYLLABLES, k=dice.randint(1, 4))).capitalize()


def isbns(nine: int) -> tuple[str, str]:
    """Both forms of an ISBN by its nine digits, with their check digits."""
    body = f"{nine:09d}"
    ten = -sum((10 - at) * int(digit) for at, digit in enumerate(body)) % 11
    long = f"978{body}"
    last = -sum((1, 3)[at % 2] * int(digit) for at, digit in enumerate(long)) % 10
    return f"{body}{'0123456789X'[ten]}", f"{long}{last}"
