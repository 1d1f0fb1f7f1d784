"""The only place that knows where a MARC record of the Library of Congress keeps what a bookseller wants to know."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.catalog.marc import Field, Record
from sandbox.catalog.names import first_last
from sandbox.isbn import to13
from sandbox.text import fold

# Title proper, number and name of a part (MARC 245).
_TRAILING = " /:;=,"
_PAGES = re.compile(r"\d\s*(?:,?\s*\[\d+\]\s*)*\]?\s*(?:p|pages|s|S|str|strony|c|\u03c3)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b\d{2,4}\b")
_YEAR = re.compile(r"1[5-9]\d\d|20[01]\d")
_IMPRINT_DATE = re.compile(r",? *\[?c?\d{4}\]?$")
_DEWEY = re.compile(r"\d{3}(?:\.\d+)?")
_PRICE = re.compile(r"^\$(\d{1,3}\.\d\d)")
# A number qualified by one of these is not this book: it is the set, another volume or another carrier.
_OTHER_ITEM = re.compile(r"\b(set|v|vol|vols|t|bd|obra|complete|series|cd-rom|electronic|teacher|v\.?\d+|\d+)\b")
_LARGE_PRINT = re.compile(r"\b(lg\.?|large) print\b")
_SOFT = re.compile(r"\b(pbk|paper|paperback|pb|softcover|soft|sc|pa|softbound|trade|br|brosch|limp)\b(?! *alk)")
_HARD = re.compile(
    r"\b(hc|hardcover|hbk|hb|hardback|cloth|cl|lib|library|hard|cased|hardbound|bound|rlb|glb|geb|casebound)\b"
)
_ALKALINE = re.compile(r"(alk|acid)\S*[ -]*(free)?\s*paper|säurefrei|chlorfrei")
# Uniform titles that name a kind of collection, not one work.
_COLLECTIVE = {
    "selections", "works", "short stories", "poems", "plays", "novels", "correspondence", "essays", "prose works",
    "poetry", "tales", "speeches", "diaries", "bible", "koran",
}  # fmt: skip
_SUMMARY_LENGTH = 260
_SUBJECT_COUNT = 4
_OTHER_AUTHOR_COUNT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One book of one record: what becomes a line of the catalogue."""

    isbn13: str
    binding: str
    title: str
    subtitle: str
    latin_title: str
    authors: tuple[str, ...]
    """Names as on the cover, in the original script where the record has it; the main author first."""
    latin_authors: tuple[str, ...]
    """The same names in Latin letters, where those differ."""
    publisher: str
    year: str
    pages: str
    language: str
    """MARC language code."""
    edition: str
    dewey: str
    price: str
    subjects: tuple[str, ...]
    summary: str
    record: str
    """Library of Congress control number."""
    work: str
    """Folded author and title: equal for every edition and translation that the record lets one recognise."""
    author: str
    """Folded name of the main author."""
    literature: bool
    juvenile: bool


def items(record: Record) -> Iterator[Item]:
    """The books of a record: one for each valid ISBN that is of the book itself; none without a main author."""
    people = record.all("100")[:1]
    titles = record.all("245")
    isbns = list(_isbns(record))
    if not people or not titles or not isbns or record.leader[6:8] != "am":
        return
    latin = _name(people[0])
    if not latin:
        return
    title = titles[0]
    twin = record.twin(title)
    original, others, other_latin = _authors(record, people[0])
    # Romanized, a dozen Chinese writers are one "Bing Zhang"; in Han characters they are not.
    author = fold(original or latin)
    fixed = record.control("008")
    for isbn13, binding, price in isbns:
        yield Item(
            isbn13=isbn13,
            binding=binding,
            title=_title(twin or title),
            subtitle=_subtitle(twin or title),
            latin_title=_title(title) if twin else "",
            authors=(original or latin, *others),
            latin_authors=((latin,) if original else ()) + other_latin,
            publisher=_publisher(record),
            year=_year(record),
            pages=_pages(record),
            language=fixed[35:38].strip(),
            edition=_first(record, "250", "a"),
            dewey=_dewey(record),
            price=price,
            subjects=tuple(_subjects(record)),
            summary=_summary(record),
            record=record.control("001").strip(),
            work=f"{author}|{_work_title(record, title)}",
            author=author,
            literature=_first(record, "050", "a").startswith("P") or fixed[33:34] in "1cdfhjp",
            juvenile=fixed[22:23] in "abcdj",
        )


def _isbns(record: Record) -> Iterator[tuple[str, str, str]]:
    """Each distinct valid ISBN with its binding and its price in dollars."""
    seen = set()
    for field in record.all("020"):
        number, _, qualifier = field.first("a").partition("(")
        isbn13 = to13(number.split(" ")[0])
        words = f"{qualifier} {' '.join(field.all('q'))}".lower()
        if not isbn13 or isbn13 in seen or _OTHER_ITEM.search(_ALKALINE.sub("", words)):
            continue
        seen.add(isbn13)
        price = _PRICE.match(field.first("c"))
        yield isbn13, _binding(_ALKALINE.sub("", words)), price.group(1) if price else ""


def _binding(words: str) -> str:
    """The binding a qualifier tells of, in ISBNdb's words, or ""."""
    if _LARGE_PRINT.search(words):
        return "Large Print"
    if _SOFT.search(words):
        return "Paperback"
    return "Hardcover" if _HARD.search(words) else ""


def _authors(record: Record, main: Field) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The main author's name in its original script or "", the other authors, and those' Latin forms that differ."""
    twin = record.twin(main)
    others: dict[str, str] = {}
    for field in record.all("700"):
        # $t makes it a work within this one, $e another part than the author's ("ill.").
        if field.first("t") or field.first("e") or not (name := _name(field)):
            continue
        other_twin = record.twin(field)
        others[(_name(other_twin) if other_twin else "") or name] = name
    picked = [(shown, latin) for shown, latin in others.items() if latin != _name(main)][:_OTHER_AUTHOR_COUNT]
    latin = tuple(latin for shown, latin in picked if latin != shown)
    return (_name(twin) if twin else ""), tuple(shown for shown, _ in picked), latin


def _name(field: Field) -> str:
    """A person's name as on a cover."""
    return first_last(field.first("a"), field.indicators[:1], numeration=field.first("b"), addition=field.first("c"))


def _title(field: Field) -> str:
    """Title proper with the number and name of a part."""
    return ". ".join(part for part in map(_tidy, field.all("anp")) if part)


def _subtitle(field: Field) -> str:
    """The rest of the title; a parallel title in another language ("=") is none."""
    return "" if field.first("a").endswith("=") else _tidy(field.first("b"))


def _work_title(record: Record, title: Field) -> str:
    """What editions and translations of one work share: the uniform title where it names a work, else the title."""
    uniform = fold(_tidy(_first(record, "240", "a")))
    return uniform if uniform and uniform not in _COLLECTIVE else fold(_title(title))


def _publisher(record: Record) -> str:
    """The publisher's name in its original script where there is one."""
    for field in (*record.all("260"), *record.all("264")):
        name = _IMPRINT_DATE.sub("", _tidy((record.twin(field) or field).first("b"))).strip("[]<>\u060c\uff0c ")
        return "" if name.lower() in {"s.n.", "s.n", "publisher not identified"} else name
    return ""


def _year(record: Record) -> str:
    """The year of publication: of the fixed field, else the first that the imprint shows."""
    fixed = record.control("008")[7:11]
    found = _YEAR.fullmatch(fixed) or _YEAR.search(_first(record, "260", "c"))
    return found.group() if found else ""


def _pages(record: Record) -> str:
    """The largest run of numbered pages ("xi, 186 p." is 186), or ""."""
    extent = _first(record, "300", "a")
    numbers = [int(number) for number in _NUMBER.findall(extent)] if _PAGES.search(extent) else []
    return str(max(numbers)) if numbers else ""


def _dewey(record: Record) -> str:
    """The Dewey number; "[Fic]" and "[E]" are none."""
    found = _DEWEY.match(_first(record, "082", "a").replace("/", ""))
    return found.group() if found else ""


def _subjects(record: Record) -> Iterator[str]:
    """The first few subject headings, each with its topical subdivisions."""
    seen: dict[str, None] = {}
    for field in (*record.all("650"), *record.all("651")):
        if field.indicators[1:2] in "01":
            seen.setdefault(" -- ".join(part for part in map(_tidy, field.all("ax")) if part).rstrip("."))
    yield from list(seen)[:_SUBJECT_COUNT]


def _summary(record: Record) -> str:
    """The summary when it is short enough to keep the catalogue small, else ""."""
    text = _first(record, "520", "a").strip()
    return text if len(text) <= _SUMMARY_LENGTH else ""


def _first(record: Record, tag: str, code: str) -> str:
    """The first subfield of the first field of a tag, or ""."""
    return next((field.first(code) for field in record.all(tag)), "")


def _tidy(text: str) -> str:
    """Takes off the punctuation that the cataloguing rules (ISBD) put between areas."""
    text = " ".join(text.split()).strip(_TRAILING).strip()
    if (
        text.endswith(".")
        and not text.endswith("..")
        and not re.search(r"\b\w\.$|\b(etc|Jr|Mr|Mrs|Dr|Co|Inc|Ltd)\.$", text)
    ):
        text = text[:-1]
    if text.count("[") != text.count("]"):
        text = text.strip("[]")
    return text.strip()
