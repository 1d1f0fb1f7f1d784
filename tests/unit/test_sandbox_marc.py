"""How catalogue records of the Library of Congress become books."""

from pathlib import Path

import pytest

from sandbox.catalog.derive import COLUMNS, SHA256, main, write
from sandbox.catalog.extract import Item, items
from sandbox.catalog.marc import Record, parse, records
from sandbox.catalog.names import first_last
from sandbox.catalog.pick import pick


def _raw(*fields: tuple[str, str]) -> bytes:
    """A record of ISO 2709; "|" stands for the subfield mark."""
    directory, body = "", b""
    for tag, text in fields:
        data = text.replace("|", "\x1f").encode() + b"\x1e"
        directory += f"{tag}{len(data):04}{len(body):05}"
        body += data
    base = 24 + len(directory) + 1
    leader = f"{base + len(body) + 1:05}cam a22{base:05} a 4500"
    return leader.encode() + directory.encode() + b"\x1e" + body + b"\x1d"


def _fixed(language: str = "eng", year: str = "1998", *, literary: str = "1", audience: str = " ") -> str:
    """Field 008."""
    return f"000000s{year}    xx     {audience} 000 0".ljust(33)[:33] + f"{literary} {language}  "


def _book(isbn: str, title: str = "Title", author: str = "Le Guin, Ursula K.,", number: str = "1") -> bytes:
    """A record of the least that makes a book."""
    return _raw(
        ("001", f"  0000000{number}"),
        ("008", _fixed()),
        ("020", f"  |a{isbn}"),
        ("100", f"1 |a{author}|d1929-"),
        ("245", f"10|a{title} /|cby her."),
    )


def _items(*raws: bytes) -> list[Item]:
    """The items of some records."""
    return [item for record in records(raws) for item in items(record)]


def test_records_are_found_across_chunks() -> None:
    """Where a chunk ends makes no difference."""
    raw = _book("0306406152") + _book("080442957X")
    assert list(records([raw])) == list(records([raw[at : at + 7] for at in range(0, len(raw), 7)]))


def test_a_broken_record_is_left_out() -> None:
    """One bad record does not stop the reading of the next."""
    assert len(list(records([b"00026nonsense\x1d" + _book("0306406152")]))) == 1


def test_a_field_and_its_original_script_find_each_other() -> None:
    """Field 880 names the field that it repeats."""
    record = parse(
        _raw(
            ("245", "10|6880-02|aMeguri /"),
            ("880", "1 |6100-01/$1|a三島由紀夫."),
            ("880", "10|6245-02/$1|a巡り /"),
        ).removesuffix(b"\x1d")
    )
    twin = record.twin(record.all("245")[0])
    assert (twin.first("a") if twin else None) == "巡り /"


@pytest.mark.parametrize(
    ("heading", "entry", "expected"),
    [
        ("Le Guin, Ursula K.,", "1", "Ursula K. Le Guin"),
        ("Morris, Gilbert.", "1", "Gilbert Morris"),
        ("Stine, R. L.", "1", "R. L. Stine"),
        ("Goethe, Johann Wolfgang von,", "1", "Johann Wolfgang von Goethe"),
        ("Homer.", "0", "Homer"),
        ("村上, 春樹,", "1", "村上春樹"),
        ("김, 영하.", "1", "김영하"),
        ("محفوظ، نجيب.", "1", "نجيب محفوظ"),
        ("Rothschild family.", "3", ""),
        ("", "1", ""),
    ],
)
def test_a_heading_becomes_the_name_of_the_cover(heading: str, entry: str, expected: str) -> None:
    """First name first where it is written so, and no punctuation of the cataloguers."""
    assert expected == first_last(heading, entry)


@pytest.mark.parametrize(
    ("heading", "entry", "numeration", "addition", "expected"),
    [
        ("King, Martin Luther,", "1", "", "Jr.,", "Martin Luther King Jr."),
        ("John Paul", "0", "II,", "Pope,", "John Paul II"),
        ("Thomas,", "0", "", "Aquinas, Saint,", "Thomas Aquinas"),
        ("Plato,", "0", "", "", "Plato"),
        ("Seuss,", "1", "", "Dr.", "Dr. Seuss"),
    ],
)
def test_what_stands_beside_a_name(heading: str, entry: str, numeration: str, addition: str, expected: str) -> None:
    """Generations, numbers and bynames belong to a name; ranks do not."""
    assert expected == first_last(heading, entry, numeration=numeration, addition=addition)


def test_a_record_tells_everything_of_a_book() -> None:
    """Every column of the catalogue has its field."""
    raw = _raw(
        ("001", "   00012345 "),
        ("008", _fixed("spa", "2000")),
        ("020", "  |a0306406152 (pbk. : alk. paper) :|c$7.99"),
        ("082", "00|a863/.64|221"),
        ("100", "1 |aGarcía Márquez, Gabriel,|d1928-"),
        ("240", "10|aCien años de soledad.|lEnglish"),
        ("245", "10|aOne hundred years :|ba novel /|cG. García Márquez."),
        ("250", "  |a1st ed."),
        ("260", "  |aNew York :|bHarper,|cc2000."),
        ("300", "  |axii, 417 p. ;|c21 cm."),
        ("520", "  |aA family."),
        ("650", " 0|aFamilies|zColombia|xHistory."),
        ("700", "1 |aRabassa, Gregory."),
        ("700", "1 |aSmith, John,|eill."),
    )
    assert [
        Item(
            isbn13="9780306406157",
            binding="Paperback",
            title="One hundred years",
            subtitle="a novel",
            latin_title="",
            authors=("Gabriel García Márquez", "Gregory Rabassa"),
            latin_authors=(),
            publisher="Harper",
            year="2000",
            pages="417",
            language="spa",
            edition="1st ed.",
            dewey="863.64",
            price="7.99",
            subjects=("Families -- History",),
            summary="A family.",
            record="00012345",
            work="gabriel garcia marquez|cien anos de soledad",
            author="gabriel garcia marquez",
            literature=True,
            juvenile=False,
        )
    ] == _items(raw)


def test_names_and_titles_keep_their_script() -> None:
    """Title and author come as printed, the romanized forms stand beside."""
    raw = _raw(
        ("001", "1"),
        ("008", _fixed("jpn")),
        ("020", "  |a0306406152"),
        ("100", "1 |6880-01|aMishima, Yukio."),
        ("245", "10|6880-02|aKinkakuji /"),
        ("880", "1 |6100-01/$1|a三島由紀夫."),
        ("880", "10|6245-02/$1|a金閣寺 /"),
    )
    assert [(item.title, item.latin_title, item.authors, item.latin_authors) for item in _items(raw)] == [
        ("金閣寺", "Kinkakuji", ("三島由紀夫",), ("Yukio Mishima",))
    ]


@pytest.mark.parametrize(
    ("qualifier", "binding"),
    [
        ("(pbk.)", "Paperback"),
        ("(paper : alk. paper)", "Paperback"),
        ("(hc : alk. paper)", "Hardcover"),
        ("(alk. paper)", ""),
        ("(lg. print : hc : alk. paper)", "Large Print"),
        ("", ""),
    ],
)
def test_a_qualifier_tells_the_binding(qualifier: str, binding: str) -> None:
    """Paper that lasts says nothing of the cover."""
    assert [binding] == [item.binding for item in _items(_book(f"0306406152 {qualifier}"))]


@pytest.mark.parametrize("isbn", ["0306406153", "0306406152 (set)", "0306406152 (v. 2 : pbk.)", "0306406152 (CD-ROM)"])
def test_numbers_of_other_things_are_no_books(isbn: str) -> None:
    """A wrong check digit, a set, a volume or a disc makes no line of the catalogue."""
    assert _items(_book(isbn)) == []


def test_prolific_authors_are_picked_and_others_not() -> None:
    """An author of one book adds nothing that a title search does not."""
    raws = [
        _book("0306406152", "A"),
        _book("080442957X", "B"),
        _book("9780441013593", "C", author="Herbert, Frank."),
    ]
    assert [item.isbn13 for item in pick(_items(*raws))] == ["9780306406157", "9780804429573"]


def test_the_order_of_the_records_makes_no_difference() -> None:
    """The same records give the same catalogue, byte for byte."""
    raws = [_book("0306406152", "A", number="2"), _book("080442957X", "A", number="1"), _book("9780441013593", "B")]
    assert write(pick(_items(*raws))) == write(pick(_items(*reversed(raws))))


def test_editions_share_the_record_of_their_work() -> None:
    """The last column ties the editions of one work together."""
    raws = [_book("0306406152", "A", number="2"), _book("080442957X", "A", number="1"), _book("9780441013593", "B")]
    lines = write(pick(_items(*raws))).splitlines()
    assert (",".join(COLUMNS), ["00000001", "00000001", "00000001"]) == (
        lines[0],
        [line.rpartition(",")[2] for line in lines[1:]],
    )


def test_a_record_without_an_author_is_no_item() -> None:
    """The catalogue is one of authors."""
    assert list(items(Record("00000cam a", ()))) == []


def test_another_source_than_the_pinned_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hash decides, and both hashes are named; nothing is written."""
    sdist = tmp_path / "pymarc-5.4.0.tar.gz"
    sdist.write_bytes(b"something else")
    status = main(["--sdist", str(sdist), "--output", str(tmp_path / "loc.csv")])
    assert (status, SHA256 in capsys.readouterr().err, [sdist]) == (1, True, list(tmp_path.iterdir()))
