"""Bodies with every field deleted, nulled and retyped in turn: only works and mesh errors come out of an adapter."""

import copy
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from bookmesh.type.v1.book_pb2 import Edition, Work

from mesh.status import MeshError
from services.books.providers import google_books, open_library, open_library_docs
from services.books.providers.http import Reply
from services.books.providers.protocol import Found
from services.books.query import parse
from services.cataloguing.isbn import isbn13_of
from tests.unit.provider_house import DOC, DUNE, VOLUME, Served, docs, google_error, provided, serving, volumes

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "provider-samples"

Adapter = Callable[[Reply, str], list[Work]]
Path_ = tuple[str | int, ...]

GONE = object()
"""Deletes a field instead of changing it."""

STRANGE: tuple[object, ...] = (
    GONE,
    None,
    "",
    "text",
    "<b>&lt;x&gt;</b>\u0000\u202e",
    "9" * 400,
    0,
    -1,
    10**19,
    1e308,
    True,
    False,
    [],
    [None],
    [[]],
    [{"identifier": None, "reason": []}],
    {},
    {"name": None},
)
"""What may stand in the place of anything."""


def of_google(reply: Reply, isbn13: str) -> list[Work]:
    """What Google Books' adapter makes of an answer."""
    return list(google_books.works_of(google_books.volumes_of(reply), isbn13))


def of_library(reply: Reply, isbn13: str) -> list[Work]:
    """What Open Library's adapter makes of an answer."""
    return list(open_library_docs.works_of(open_library.docs_of(reply), isbn13, "en"))


def bodies() -> Iterator[tuple[str, Adapter, int, Any]]:
    """Bodies of both providers: written here, and recorded ones where they are at hand."""
    yield "google", of_google, 200, volumes(VOLUME, {"volumeInfo": {"title": "Dune"}})
    yield "google none", of_google, 200, volumes()
    yield "google spent", of_google, 429, google_error(429, "rateLimitExceeded", status="X", limit="PerDayPerProject")
    yield "google bad key", of_google, 400, google_error(400, "keyInvalid", status="INVALID_ARGUMENT")
    yield "library", of_library, 200, docs(DOC, {"title": "Dune", "key": "/works/OL1W"})
    yield "library none", of_library, 200, docs()
    for path in sorted(RECORDED.glob("googlebooks_*.json")):
        yield path.stem, of_google, 429 if "429" in path.stem else 200, json.loads(path.read_bytes())
    for path in sorted(RECORDED.glob("openlibrary_*.json")):
        yield path.stem, of_library, 429 if "429" in path.stem else 200, json.loads(path.read_bytes())


BODIES = {name: (adapter, status, body) for name, adapter, status, body in bodies()}


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every place in a body, but of long lists only the first few."""
    yield at
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value[:2]):
            yield from places(each, (*at, index))


def mutated(body: Any, at: Path_, strange: object) -> Any:
    """The body with something strange in one place."""
    if not at:
        return {} if strange is GONE else strange
    changed = copy.deepcopy(body)
    parent = changed
    for step in at[:-1]:
        parent = parent[step]
    if strange is GONE:
        del parent[at[-1]]
    else:
        parent[at[-1]] = strange
    return changed


def keys_of(value: Any) -> set[str]:
    """Every field name in a body that can't be a word of a book."""
    if isinstance(value, dict):
        own = {key for key in value if "_" in key or key != key.lower()}
        return own.union(*(keys_of(each) for each in value.values()))
    return set().union(*(keys_of(each) for each in value)) if isinstance(value, list) else set()


FOREIGN = frozenset().union(*(keys_of(body) for _, _, body in BODIES.values())) - {"google_books", "open_library"}


def check(works: list[Work]) -> None:
    """Every work can be sent, and holds nothing but clean values."""
    for work in works:
        assert work.title
        assert work == Work.FromString(work.SerializeToString())
        assert 0 <= work.first_publication_year <= 2_100
        texts = [work.title, work.subtitle, work.synopsis, *work.subjects, *(author.name for author in work.authors)]
        for edition in work.editions:
            check_edition(edition)
            texts += [edition.publisher, edition.publication_date, edition.language]
            texts += [each.value for each in (*edition.identifiers, *work.identifiers)]
        assert not {"None", "null", "True", "False", "[]", "{}", "nan", "inf"} & set(texts)
        assert not FOREIGN & set(texts)


def check_edition(edition: Edition) -> None:
    """The numbers, dates and addresses of an edition are what they claim to be."""
    assert edition.isbn_13 in ("", isbn13_of(edition.isbn_13))
    assert bool(edition.isbn_10) == edition.isbn_13.startswith("978")
    assert edition.cover_uri == "" or edition.cover_uri.startswith("https://")
    assert edition.provider in {"google_books", "open_library"}
    assert 0 <= edition.page_count <= 100_000
    assert edition.language == "" or edition.language.isalpha()
    assert all(each.scheme and each.value for each in edition.identifiers)


def survives(adapter: Adapter, status: int, body: bytes) -> None:
    """An adapter makes works or a mesh error of a body, and nothing foreign shows in either."""
    for isbn13 in ("", DUNE):
        try:
            check(adapter(Reply(status, body), isbn13))
        except MeshError as error:
            told = f"{error!r} {error} {error.metadata}"
            assert not any(name in told for name in FOREIGN)


async def outcome(finding: Awaitable[Found]) -> tuple[Found, MeshError | None]:
    """What came of a search; what is no mesh error fails the test."""
    try:
        return await finding, None
    except MeshError as error:
        return Found(), error


@pytest.mark.parametrize("name", BODIES)
def test_every_field_may_be_anything(name: str) -> None:
    """Each field in turn is deleted, nulled and retyped."""
    adapter, status, body = BODIES[name]
    for at in places(body):
        for strange in STRANGE:
            survives(adapter, status, orjson.dumps(mutated(body, at, strange), option=orjson.OPT_NON_STR_KEYS))


@pytest.mark.parametrize("name", BODIES)
def test_body_may_end_anywhere(name: str) -> None:
    """A body that is cut off is no answer, and one whose bytes are no text neither."""
    adapter, status, body = BODIES[name]
    whole = orjson.dumps(body)
    for end in range(0, len(whole), max(1, len(whole) // 200)):
        with pytest.raises(MeshError):
            adapter(Reply(status, whole[:end]), "")
        survives(adapter, status, whole[:end] + b"\xff\xfe" + whole[end:])


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 418, 429, 500, 503])
def test_body_may_come_with_any_status(name: str, status: int) -> None:
    """Whatever the status, works or a mesh error come of it, and no works of a failure."""
    adapter, _, body = BODIES[name]
    survives(adapter, status, orjson.dumps(body))
    if status != 200:
        with pytest.raises(MeshError):
            adapter(Reply(status, orjson.dumps(body)), "")


@pytest.mark.parametrize("nested", [b"[" * 50_000, b'{"items":' * 5_000, b'{"docs":[' * 5_000])
@pytest.mark.parametrize("adapter", [of_google, of_library])
def test_body_may_be_nested_without_end(adapter: Adapter, nested: bytes) -> None:
    """A body that is nested deeper than anything reads is no answer."""
    with pytest.raises(MeshError):
        adapter(Reply(200, nested), "")


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("text", [DUNE, "dune", "dune by frank herbert"])
async def test_whole_provider_holds(name: str, text: str) -> None:
    """From the connection to what was found, a mutated body gets no further as anything but works or a mesh error."""
    adapter, status, body = BODIES[name]
    for at in list(places(body))[:60]:
        for strange in (GONE, None, "text", [None]):
            changed = orjson.dumps(mutated(body, at, strange))
            house = provided(serving(Served(changed, status)), keys=["canary"])
            provider = house.google if adapter is of_google else house.library
            found, error = await outcome(provider.find(parse(text)))
            check(list(found.works))
            if error is not None:
                assert (error.__cause__, error.__context__) == (None, None)
                assert "canary" not in f"{error!r} {error.metadata}"
