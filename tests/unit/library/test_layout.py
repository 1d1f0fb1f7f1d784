"""The layout of a library: its header wherever it stands, what parts its cells, and what it is without a header."""

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.library.contents import looks_like_name
from services.warmer.library.formats import FORMATS, GENERIC, Style
from services.warmer.library.layout import Layout, layout_of
from services.warmer.library.records import WHOLE_LINE

DUNE = "9780441013593"


def found(text: str, format_: pb.LibraryFormat.ValueType = pb.LIBRARY_FORMAT_UNSPECIFIED) -> Layout:
    """The layout of a text that has one."""
    layout = layout_of(text.splitlines(keepends=True), FORMATS.get(format_))
    assert layout is not None
    return layout


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("Title,Author,ISBN", (0, 1, (2,))),
        ("isbn13,isbn,authors,original_title,title", (4, 2, (0, 1))),
        ("Titel,Autor,ISBN-13", (0, 1, (2,))),
        ("Titre,Auteur,EAN", (0, 1, (2,))),
        ("TÍTULO,Autora,Número ISBN", (0, 1, (2,))),
        ("Titolo,Autore,Codice ISBN", (0, 1, (2,))),
        ("書名,著者,ISBN", (0, 1, (2,))),
        ("Название,Автор,ИСБН", (0, 1, (2,))),
        ("Book name,Written by,ISBN No.", (0, 1, (2,))),
        ("Title as printed,Author(s) of it,ISBN (13 digits)", (0, 1, (2,))),
        ("Year,Title,Series Title,Author Sort,Author", (1, 4, ())),
        ("Titel des Buches,Name des Autors,ISBN-Nr.", (0, 1, (2,))),
        ("Ouvrage,Auteur·rice,EAN13", (0, 1, (2,))),
        ("Nombre del libro,Autor/a,N.º de ISBN", (0, 1, (2,))),
        ("Opera,Autore/i,EAN", (0, 1, (2,))),
        ("Título da obra,Autoria,ISBN", (0, 1, (2,))),
        ("Nazwa,Autor/Autorzy,Numer ISBN", (0, 1, (2,))),
        ("Boktitel,Författarens namn,ISBN-nr", (0, 1, (2,))),
        ("Книга,ФИО автора,Код ISBN", (0, 1, (2,))),
        ("本の題名,著者・編者,ISBNコード", (0, 1, (2,))),
        ("图书名称,责任者,ISBN号", (0, 1, (2,))),
        ("KİTABIN ADI,YAZARI,ISBN", (0, 1, (2,))),
        ("Title & Subtitle,Contributors,ISBN #", (0, 1, (2,))),
        ("Edition ISBN-13,Edition title,Works URLs,Authors URLs,Authors labels", (1, 4, (0,))),
        ("Title Sort,Title,Author Sort,Authors,ISBN-10,ISBN-13", (1, 3, (5, 4))),
    ],
)
def test_names(header: str, places: tuple[int, int, tuple[int, ...]]) -> None:
    """Columns are found by any sensible name, in many languages, and what only resembles one is left alone."""
    columns = found(f"{header}\n").columns
    assert (columns.title, columns.author, columns.isbns) == places


@pytest.mark.parametrize(
    ("header", "places"),
    [
        ("Nom,Prénom,Titre", (0, 1, 2)),
        ("Nombre,Apellidos,Título", (1, 0, 2)),
        ("Cognome,Nome,Titolo", (0, 1, 2)),
        ("Name,Vorname,Titel", (0, 1, 2)),
        ("Name,Last Name", (1, -1, 0)),
    ],
)
def test_names_in_halves(header: str, places: tuple[int, int, int]) -> None:
    """A column that is only called a name is the half of a person's name that has none of its own."""
    columns = found(f"{header}\n").columns
    assert (columns.last_name, columns.first_name, columns.title) == places


@pytest.mark.parametrize(
    ("header", "more"),
    [
        ("Title,Author,Author", (2,)),
        ("Title,Author,Author.1,Author.2", (2, 3)),
        ("Title,Author 1,Author 2,Author 3", (2, 3)),
    ],
)
def test_authors_in_columns_of_their_own(header: str, more: tuple[int, ...]) -> None:
    """Where each author has a column, the first is the author and the others are further ones."""
    columns = found(f"{header}\n").columns
    assert (columns.author, columns.more) == (1, more)


@pytest.mark.parametrize(
    ("text", "first", "delimiter"),
    [
        ("Title,Author\n", 1, ","),
        ("Title;Author\n", 1, ";"),
        ("sep=;\nTitle;Author\n", 2, ";"),
        ('"sep=|"\nTitle|Author\n', 2, "|"),
        ("My books\n\nmade today\nTitle\tAuthor\n", 4, "\t"),
        ('"Title","Author\nof it",Author\n', 2, ","),
        ("Title\nDune, Messiah\n", 1, WHOLE_LINE),
    ],
)
def test_where_the_header_ends(text: str, first: int, delimiter: str) -> None:
    """A header is found below what people and Excel write over it, and by its own delimiter."""
    layout = found(text)
    assert (layout.first, layout.dialect.delimiter) == (first, delimiter)


def test_a_column_by_what_it_holds() -> None:
    """A column of ISBNs is one, whatever it is called."""
    columns = found(f"Title,Author,Code\nDune,Frank Herbert,{DUNE}\nEmma,Jane Austen,\n").columns
    assert (columns.isbns, columns.names[-1]) == ((2,), "isbn=Code")


def test_a_column_of_numbers_is_none() -> None:
    """Numbers that pass the check of ten digits by chance make no column of ISBNs."""
    assert found("Title,Id\nDune,1234567890\nEmma,2234567891\nPersuasion,123456789X\n").columns.isbns == ()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"Dune,Frank Herbert,{DUNE}\nEmma,Jane Austen,\n", (0, 1, (2,))),
        (f"{DUNE};The long road home;Frank Herbert\n", (1, 2, (0,))),
        (f"Frank Herbert\tThe house of 7 gables\t{DUNE}\n", (1, 0, (2,))),
        (f"{DUNE},12\n", (-1, -1, (0,))),
    ],
)
def test_without_a_header(text: str, places: tuple[int, int, tuple[int, ...]]) -> None:
    """A table without a header is read where a column holds ISBNs; names are authors."""
    layout = found(text)
    columns = layout.columns
    assert (columns.title, columns.author, columns.isbns) == places
    assert (layout.first, columns.has_header, columns.format) == (0, False, GENERIC.number)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ('Title,Author,Author 2\nX,"Herb, Frank","Herb, Brian"\n', Style.TURNED),
        ('Title,Author,Author 2\nX,Frank Herb,"Herb, Brian"\n', Style.TURNED),
        ('Title,Author,Author 2\nX,Frank Herb,"Ann A, Bob B"\n', Style.LIST),
    ],
)
def test_how_further_authors_are_written(text: str, style: Style) -> None:
    """Further authors are turned round where the first ones are, or where their own columns say so."""
    assert found(text).columns.more_style is style


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (f"{DUNE}\n0441172717\n", pb.LIBRARY_FORMAT_ISBN_LIST),
        (f"my list\n{DUNE}\n9780441013594\n", pb.LIBRARY_FORMAT_ISBN_LIST),
        ("Jane Austen\nLe Guin, Ursula K.\nHomer\n", pb.LIBRARY_FORMAT_AUTHOR_LIST),
    ],
)
def test_lists(text: str, format_: pb.LibraryFormat.ValueType) -> None:
    """A plain list of ISBNs or authors is one, its first line included."""
    layout = found(text)
    assert (layout.columns.format, layout.first) == (format_, 0)


@pytest.mark.parametrize(
    ("text", "places", "delimiter"),
    [
        ("Dunes,Frank Herb\nThe Emm of it,Jane Aust\n", (0, 1), ","),
        ("Dunes\tFrank Herb\t1965\nThe Emm of it\tJane Aust\t\n", (0, 1), "\t"),
        ("Frank Herb;Dunes;Ace Books\nJane Aust;The Emm of it;Penguin\n", (1, 0), ";"),
    ],
)
def test_people_without_a_header(text: str, places: tuple[int, int], delimiter: str) -> None:
    """A table without a header and ISBNs is read where one column holds whole names, and its lines are of one width."""
    layout = found(text)
    assert (layout.columns.title, layout.columns.author) == places
    assert (layout.dialect.delimiter, layout.columns.has_header) == (delimiter, False)


@pytest.mark.parametrize(
    "text", [f"{DUNE},0141439602,{DUNE}\n", f"{DUNE};9780141439600\n0441172717;\n", f"{DUNE} 9780141439600\n"]
)
def test_isbns_side_by_side(text: str) -> None:
    """Where nothing but ISBNs stands, it is a list of them, whatever parts them."""
    layout = found(text)
    assert (layout.columns.format, layout.dialect.delimiter) == (pb.LIBRARY_FORMAT_ISBN_LIST, WHOLE_LINE)


@pytest.mark.parametrize(
    "text",
    [
        "year,rating\n1999,5\n",
        "a,b\n1,2\n",
        "{}\n",
        '{"title": "Dunes", "author": "Frank Herb"}\n',
        '[{"title": "Dunes"},\n{"title": "Emma"}]\n',
        "<html>\n<title>Sign in</title>\n",
        "TY  - BOOK\nAU  - Herb, Frank\nTI  - Dunes\n",
        "Dunes^Frank Herb\nEmma^Jane Aust\n",
        "The end of it all\nA house by the sea\n",
        "Work Id,Bookshelf\nOL1W,x\n",
    ],
)
def test_nothing_to_use(text: str) -> None:
    """What names nothing that is known has no layout."""
    assert layout_of(text.splitlines(keepends=True)) is None


@pytest.mark.parametrize("format_", [each for each in FORMATS if each not in {1, 8, 9}])
def test_forced_in_vain(format_: pb.LibraryFormat.ValueType) -> None:
    """A file without any column of the format that is forced can't be read by it."""
    assert layout_of(["Buch;Verfasser\n", "Dune;Frank Herbert\n"], FORMATS[format_]) is None


def test_forced_by_its_own_names() -> None:
    """A format that is forced counts by its own names alone: Calibre's author is `authors`."""
    columns = found("author,authors,title,sort\n", pb.LIBRARY_FORMAT_CALIBRE).columns
    assert (columns.format, columns.author, columns.title) == (pb.LIBRARY_FORMAT_CALIBRE, 1, 2)


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("Jane Austen", True),
        ("Le Guin, Ursula K.", True),
        ("Ludwig van Beethoven", True),
        ("村上 春樹", True),
        ("The Road", False),
        ("1984", False),
        ("pride and prejudice for beginners", False),
        ("One two three four five six", False),
        ("", False),
    ],
)
def test_names_of_people(text: str, is_name: bool) -> None:  # noqa: FBT001 - a case of the table
    """What looks like a name is told from most titles."""
    assert looks_like_name(text) is is_name


@pytest.mark.parametrize(
    ("text", "has_escapes", "is_wrapped"),
    [
        ('"Title","Author"\n"A \\"b\\" c","D"\n', True, False),
        ('"Title","Author"\n"A ""b"" c","D:\\"\n', False, False),
        ('"Title","Author"\n"A:\\""b"" c","D"\n', False, False),
        ('"Title,Author"\n"A,""B, C"""\n', False, True),
        ('"Title, as it is","Author"\nA,B\n', False, False),
        ('"Title","Author"\n"A","B"\n', False, False),
    ],
)
def test_how_quotes_are_written(text: str, has_escapes: bool, is_wrapped: bool) -> None:  # noqa: FBT001 - a case
    """Backslashes before quotes, and records within cells, are seen in the first lines."""
    dialect = found(text).dialect
    assert (dialect.has_escapes, dialect.is_wrapped) == (has_escapes, is_wrapped)


@pytest.mark.parametrize(("row", "quote"), [("'A','B, C'", "'"), ("A,B", '"'), ("'Tis A,B", "'"), ('"A","B"', '"')])
def test_single_quotes(row: str, quote: str) -> None:
    """A table in single quotes is one where its rows have them as well, and not its header alone."""
    assert found(f"'Title','Author'\n{row}\n").dialect.quote == quote
