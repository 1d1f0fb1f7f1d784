"""Google Books v1 as a provider: which questions a query becomes, and what its answers mean."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from bookmesh.type.v1.book_pb2 import FORMAT_NOT_A_BOOK, FORMAT_UNSPECIFIED, Edition, Work

from mesh.quota.account import Account
from mesh.status import MeshError
from services.books.likeness import name_key, title_key
from services.books.merge import in_language
from services.books.providers.caller import Caller, Round
from services.books.providers.faults import Faults
from services.books.providers.google_refusals import refusal
from services.books.providers.http import Json, Reply
from services.books.providers.opening import Opening
from services.books.providers.protocol import Found
from services.books.providers.record import identified, list_of, object_of, work_of
from services.books.query import Query, normal_form
from services.books.reading import Reading, reading_of
from services.cataloguing.covers import cover_of
from services.cataloguing.dates import date_of, year_of
from services.cataloguing.isbn import isbn10_of, isbn13_of
from services.cataloguing.languages import corrected, is_latin_text, language_of
from services.cataloguing.names import authors_of
from services.cataloguing.pages import page_count_of
from services.cataloguing.subjects import subjects_of
from services.cataloguing.text import line_of, prose_of

FAULTS = Faults("google_books", "Google Books")

BASE_URL = "https://www.googleapis.com/books/v1"
"""Where it answers."""

DAY_ZONE = "America/Los_Angeles"
"""Its day begins at midnight Pacific Time (Google's API console)."""

SECRETS = ("GOOGLE_BOOKS_API_KEY", "GOOGLE_BOOKS_IOSKEY")
"""The bindings of its keys, the one that is used first before the other."""

KEYLESS = "google_books keyless"
"""What people call the account of those who have no key."""

BURST = 4
"""Calls that may begin at once after a pause: two searches."""

PAGE_SIZE = 40
"""Volumes that one answer carries at most; it costs the same whatever it brings."""

_SPLIT_LANGUAGES = {"pt", "zh"}
"""Languages that its records tell apart by country ("zh-TW"), so that a search in one leaves most of them out."""

_TWO_LETTERS = 2

_SCHEMES = {"LCCN": "lccn", "OCLC": "oclc"}
"""What stands before other catalogues' identifiers, and what ours are called; the rest are marks of libraries."""


def headers_of(account: Account) -> Mapping[str, str]:
    """What a call goes out with: the key in a header, for logs on the way keep addresses.

    Raises:
        UnavailableError: PROVIDER_KEY_REFUSED; what is set is no key, and could not be sent.
    """
    if account.key is None:
        return {"User-Agent": "bookmesh"}
    key = account.key.reveal().strip()
    if not (key.isascii() and key.isprintable()):
        raise FAULTS.key_refused("its keys are what Google gave out", 0)
    return {"User-Agent": "bookmesh", "X-Goog-Api-Key": key}


def opened(opening: Opening) -> "GoogleBooks":
    """Google Books with the keys that are set, or with the account of all who have none."""
    env = opening.env
    keys = dict(zip(SECRETS, (env.GOOGLE_BOOKS_API_KEY, env.GOOGLE_BOOKS_IOSKEY), strict=True))
    held = {label: key for label, key in keys.items() if key is not None}
    accounts = {
        label: Account(
            provider=FAULTS.provider,
            name=FAULTS.title,
            key=key,
            calls_per_second=opening.settings.calls_per_second,
            burst=BURST,
            calls_per_day=env.GOOGLE_BOOKS_CALLS_PER_DAY,
            live_reserve=env.QUOTA_LIVE_RESERVE,
            zone=DAY_ZONE,
        )
        for label, key in (held or dict.fromkeys((KEYLESS,))).items()
    }
    base_url = env.GOOGLE_BOOKS_URL or BASE_URL
    return GoogleBooks(
        opening.caller(FAULTS, base_url=base_url, accounts=accounts, headers=headers_of, secret=SECRETS[0])
    )


class GoogleBooks:
    """Google Books.

    Args:
        caller: makes the calls.
    """

    name = FAULTS.provider

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def find(self, query: Query, *, limit_s: float | None = None, batch: bool = False) -> Found:
        """The book of an ISBN in one call, or the books of a text in one or two.

        Raises:
            FailedPreconditionError: SECRET_MISSING; without a key it gives nothing today.
            ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED.
            UnavailableError: every other failure.
        """
        calls = self._caller.begin(limit_s=limit_s, batch=batch)
        if query.isbn13:
            works = await _volumes(calls, {"q": f"isbn:{query.isbn13}"}, query.isbn13)
            return Found(works=works, call_count=calls.call_count)
        reading, terms = reading_of(query.text), _restriction(query)
        plain = normal_form(reading.whole)
        if not plain:
            return Found()
        works, failure = await _volumes(calls, {"q": plain, **terms}), None
        if closer := _closer(reading, works):
            try:
                works = [*await _volumes(calls, {"q": closer, **terms}), *works]
            except MeshError as error:
                failure = error
        if not query.include_translations:
            works = in_language(works, query.language)
        return Found(works=works, call_count=calls.call_count, failure=failure)


async def _volumes(calls: Round, terms: Mapping[str, str], isbn13: str = "") -> list[Work]:
    found = await calls.get("/volumes", {**terms, "maxResults": str(PAGE_SIZE), "printType": "books"}, volumes_of)
    return list(works_of(found, isbn13))


def _restriction(query: Query) -> Mapping[str, str]:
    """The language asked for, where asking for it can't hide a book: its records of a text in that script bear it."""
    language = query.language
    is_safe = len(language) == _TWO_LETTERS and language not in _SPLIT_LANGUAGES and is_latin_text(query.text)
    return {} if query.include_translations or not is_safe else {"langRestrict": language}


def _closer(reading: Reading, works: Sequence[Work]) -> str:
    """What else to ask, by what the plain question brought; "" when that settled it, for each call costs quota.

    A name that wrote one of the books is an author's, and plain questions bring books about them as well.
    """
    whole = normal_form(reading.whole)
    if any(name_key(author.name) == name_key(whole) for work in works for author in work.authors):
        return f'inauthor:"{whole}"'
    titles = {title_key(work.title) for work in works}
    if title_key(whole) in titles or title_key(reading.title or whole) in titles:
        return ""
    if reading.author:
        return f'intitle:"{normal_form(reading.title)}" inauthor:"{normal_form(reading.author)}"'
    return f'intitle:"{whole}"' if works else ""


def volumes_of(reply: Reply) -> Sequence[object]:
    """The items of an answer. An answer without any has no list of them at all.

    Raises:
        ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED.
        UnavailableError: every other answer that is no list of volumes.
    """
    answer = reply.json()
    if reply.status != HTTPStatus.OK:
        raise refusal(FAULTS, reply)
    if answer is None or answer.get("kind") != "books#volumes":
        raise FAULTS.bad_answer("no list of volumes", reply.status)
    items = answer.get("items")
    if isinstance(items, list):
        return items
    if items is None and answer.get("totalItems") == 0 and answer["totalItems"] is not False:
        return []
    raise FAULTS.bad_answer("a list of volumes without volumes", reply.status)


def works_of(items: Sequence[object], isbn13: str = "") -> Iterator[Work]:
    """A work with its one edition for each volume that has a title; those of one ISBN alone, where it is given."""
    for item in items:
        volume = object_of(item)
        info = object_of(volume.get("volumeInfo"))
        title = line_of(info.get("title"))
        isbns, others = _identifiers(volume, info)
        # What it finds for an ISBN need not be the book of it.
        if title and (not isbn13 or isbn13 in isbns):
            yield _work(title, info, isbn13 or next(iter(isbns), ""), others)


def _identifiers(volume: Json, info: Json) -> tuple[list[str], list[tuple[str, str]]]:
    """The ISBN-13s of a volume, and what catalogues call it."""
    isbns: list[str] = []
    others = [("google_volume", line_of(volume.get("id"), limit=40))]
    for each in map(object_of, list_of(info.get("industryIdentifiers"))):
        text = line_of(each.get("identifier"), limit=100)
        if isbn13 := isbn13_of(text):
            isbns.append(isbn13)
            continue
        mark, _, value = text.partition(":")
        if scheme := _SCHEMES.get(mark.strip().upper()):
            others.append((scheme, value.strip()))
    return isbns, [pair for pair in others if pair[1]]


def _work(title: str, info: Json, isbn13: str, identifiers: Sequence[tuple[str, str]]) -> Work:
    authors = authors_of(info.get("authors"))
    date = date_of(info.get("publishedDate"))
    covers = object_of(info.get("imageLinks"))
    edition = Edition(
        isbn_13=isbn13,
        isbn_10=isbn10_of(isbn13) if isbn13 else "",
        publisher=line_of(info.get("publisher"), limit=200),
        publication_date=date,
        page_count=page_count_of(info.get("pageCount")),
        format=FORMAT_NOT_A_BOOK if info.get("printType") == "MAGAZINE" else FORMAT_UNSPECIFIED,
        language=corrected(language_of(info.get("language")), title, " ".join(authors), isbn13),
        cover_uri=cover_of(covers.get("thumbnail") or covers.get("smallThumbnail")).replace("&edge=curl", ""),
        provider=FAULTS.provider,
        identifiers=identified(identifiers),
    )
    return work_of(
        title,
        line_of(info.get("subtitle")),
        authors=authors,
        year=year_of(date),
        editions=[edition],
        subjects=subjects_of(info.get("categories")),
        synopsis=prose_of(info.get("description")),
    )
