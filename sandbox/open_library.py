"""The only place that knows the shapes of Open Library: a work in a search, records of all kinds, lists and errors.

Sources: Open Library's published source and API description, and recorded answers.
"""

from collections.abc import Sequence
from statistics import median_low

from sandbox.dirt import draw, falls, falls_to, number
from sandbox.isbn import to10
from sandbox.open_library_dirt import cover, description, first_publish_year, language, languages, publish_date, title
from sandbox.open_library_works import Author, Shelves, Work
from sandbox.stock import Record

Json = dict[str, object]

DEFAULT_FIELDS = (
    "key", "author_name", "author_key", "title", "subtitle", "edition_count", "ebook_access", "ia", "has_fulltext",
    "first_publish_year", "cover_i", "cover_edition_key", "public_scan_b", "lending_edition_s",
    "lending_identifier_s", "language", "ia_collection",
)  # fmt: skip
"""What a search tells of a work when it is not asked for more: no ISBN, publisher, date of an edition or pages."""

TOO_MANY: Json = {
    "status": 429,
    "message": "Too Many Requests. Consider using https://openlibrary.org/developers/dumps.",
}
FORBIDDEN = (
    "<html>\n<head><title>403 Forbidden</title></head>\n<body>\n<h1>403 Forbidden</h1>\n"
    "<p>Please identify your application with a contact in its User-Agent.</p>\n</body>\n</html>\n"
)
FAILED = "<html>\n<head><title>{status}</title></head>\n<body><h1>{status}</h1></body>\n</html>\n"

_DOCUMENTATION = "https://openlibrary.org/dev/docs/api/search"
_AN_HOUR_OF = "2009-12-10T09:42:38.201200"


def search_json(docs: Sequence[Json], *, total: int, start: int, query: str, offset: int | None) -> Json:
    """A page of a search of works."""
    return {
        "numFound": total,
        "start": start,
        "numFoundExact": True,
        "num_found": total,
        "documentation_url": _DOCUMENTATION,
        "q": query,
        "offset": offset,
        "docs": list(docs),
    }


def authors_json(docs: Sequence[Json], *, total: int, start: int) -> Json:
    """A page of a search of authors."""
    return {"numFound": total, "start": start, "numFoundExact": True, "docs": list(docs)}


def entries_json(links: dict[str, str], total: int, entries: Sequence[Json]) -> Json:
    """A page of what belongs to an author or a work."""
    return {"links": links, "size": total, "entries": list(entries)}


def missing(key: str) -> Json:
    """The body of a 404."""
    return {"error": "notfound", "key": key}


def work_doc(work: Work, shelves: Shelves) -> Json:
    """All that a search can tell of a work, its editions' ISBNs of either length mixed in no order."""
    books = [record.book for record in work.editions]
    keys = [shelves.edition_key(record) for record in work.editions]
    covers = [(key, shown) for key, book in zip(keys, books, strict=True) if (shown := cover(book)) is not None]
    subjects = list(dict.fromkeys(subject for book in books for subject in book.subjects))
    publishers = list(dict.fromkeys(book.publisher for book in books if book.publisher))
    years = sorted({book.year for book in books if book.year is not None}, key=lambda year: number(str(year), work.key))
    pages = [book.pages for book in books if book.pages]
    isbns = [isbn for book in books for isbn in (book.isbn13, to10(book.isbn13)) if isbn]
    lent = falls(work.main, "open library lends", 40)
    author_keys = [author.key for author in work.authors]
    names = [author.name for author in work.authors]
    doc: Json = {
        "key": f"/works/{work.key}",
        "type": "work",
        "seed": [*(f"/books/{key}" for key in keys), f"/works/{work.key}", *(f"/authors/{key}" for key in author_keys)],
        "title": title(work),
        "title_suggest": title(work),
        "subtitle": work.main.subtitle,
        "has_fulltext": lent,
        "edition_count": len(books),
        "edition_key": keys,
        "publish_date": list(dict.fromkeys(filter(None, map(publish_date, books)))),
        "publish_year": years,
        "first_publish_year": first_publish_year(work),
        "number_of_pages_median": median_low(pages) if pages else None,
        "isbn": sorted(isbns, key=lambda isbn: number(isbn, "order of isbns")),
        "last_modified_i": 1_600_000_000 + number(work.key, "modified") % 100_000_000,
        "ebook_count_i": int(lent),
        "ebook_access": "borrowable" if lent else "no_ebook",
        "public_scan_b": False,
        "cover_edition_key": covers[0][0] if covers else None,
        "cover_i": covers[0][1] if covers else None,
        "publisher": publishers,
        "language": languages(work),
        "author_key": author_keys,
        "author_name": names,
        "author_alternative_name": [other for author in work.authors for other in author.others],
        "author_facet": [f"{key} {name}" for key, name in zip(author_keys, names, strict=True)],
        "subject": subjects,
        "subject_facet": sorted(subjects),
        "subject_key": [subject.lower().replace(" ", "_") for subject in sorted(subjects)],
        "publisher_facet": sorted(publishers),
        "ddc": list(dict.fromkeys(book.dewey for book in books if book.dewey)),
        "_version_": 1_718_394_918_431_359_000 + work.number,
    }
    if lent:
        scan = f"{work.key.lower()}0000"
        doc |= {
            "ia": [scan],
            "ia_collection": ["inlibrary", "printdisabled"],
            "ia_collection_s": "inlibrary;printdisabled",
        }
        doc |= {"lending_edition_s": keys[0], "lending_identifier_s": scan, "printdisabled_s": keys[0]}
    return _told(doc)


def author_doc(author: Author) -> Json:
    """An author in a search: the key stands without a path before it."""
    subjects = list(dict.fromkeys(subject for work in author.works for subject in work.main.subjects))
    born = _born(author)
    doc: Json = {
        "key": author.key,
        "type": "author",
        "name": author.name,
        "alternate_names": list(author.others),
        "birth_date": born,
        "top_work": max(author.works, key=lambda work: (len(work.editions), work.editions[0].popularity)).main.title,
        "work_count": len(author.works),
        "top_subjects": subjects[:4],
        "_version_": 1_712_084_163_035_660_000 + number(author.key, "version") % 1_000_000,
    }
    return _told(doc)


def author_json(author: Author) -> Json:
    """An author's record."""
    born = _born(author)
    text = f"{author.name} wrote {author.works[0].main.title}."
    bio: object = text if falls_to(author.key, "plain bio", 50) else {"type": "/type/text", "value": text}
    shown: Json = {
        "key": f"/authors/{author.key}",
        "type": {"key": "/type/author"},
        "name": author.name,
        "personal_name": author.name,
        "alternate_names": list(author.others),
        "birth_date": born,
        "bio": bio if falls_to(author.key, "bio", 40) else "",
        **_revised(author.key),
    }
    return _told(shown)


def work_json(work: Work) -> Json:
    """A work's record: no ISBN, no language, and hardly ever a date."""
    subjects = list(dict.fromkeys(subject for record in work.editions for subject in record.book.subjects))
    covers = [face for record in work.editions if (face := cover(record.book)) is not None]
    year = first_publish_year(work)
    told = description(work)
    shown: Json = {
        "title": title(work),
        "subtitle": work.main.subtitle,
        "key": f"/works/{work.key}",
        "authors": [
            {"author": {"key": f"/authors/{author.key}"}, "type": {"key": "/type/author_role"}}
            for author in work.authors
        ],
        "type": {"key": "/type/work"},
        "covers": covers,
        "subjects": subjects,
        "description": told,
        "first_publish_date": str(year) if year is not None and falls_to(work.key, "dated", 20) else "",
        **_revised(work.key),
    }
    return _told(shown)


def edition_json(record: Record, work: Work, shelves: Shelves) -> Json:
    """An edition's record: ISBNs of either length or of one only."""
    book = record.book
    key, isbn10, code = shelves.edition_key(record), to10(book.isbn13), language(book)
    only10 = bool(isbn10) and falls(book, "open library only isbn 10", 8)
    only13 = not only10 and falls(book, "open library only isbn 13", 20)
    shown: Json = {
        "key": f"/books/{key}",
        "type": {"key": "/type/edition"},
        "title": book.title,
        "subtitle": book.subtitle,
        "authors": [{"key": f"/authors/{author.key}"} for author in work.authors],
        "works": [{"key": f"/works/{work.key}"}],
        "publishers": [book.publisher] if book.publisher else [],
        "publish_date": publish_date(book),
        "number_of_pages": book.pages,
        "physical_format": book.binding,
        "edition_name": book.edition,
        "isbn_13": [] if only10 else [book.isbn13],
        "isbn_10": [] if only13 or not isbn10 else [isbn10],
        "languages": [{"key": f"/languages/{code}"}] if code else [],
        "covers": [face] if (face := cover(book)) is not None else [],
        "subjects": list(book.subjects),
        **_revised(key),
    }
    return _told(shown)


def _born(author: Author) -> str:
    """A year of birth that fits the first work, or ""."""
    years = [record.book.year for work in author.works for record in work.editions if record.book.year is not None]
    known = years and falls_to(author.key, "birth date", 60)
    return str(min(years) - 25 - draw(author.key, "born") % 20) if known else ""


def _told(fields: Json) -> Json:
    """The fields that tell something: what is unknown is left out."""
    return {name: value for name, value in fields.items() if value not in ("", None, [])}


def _revised(key: str) -> Json:
    """What every record tells of its own history."""
    revision = 1 + draw(key, "revision") % 20
    made = {"type": "/type/datetime", "value": _AN_HOUR_OF}
    return {"latest_revision": revision, "revision": revision, "created": made, "last_modified": made}
