"""Bodies recorded from the real providers, where they are at hand: what they look like, the sandbox produces."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.app import Settings, create_app
from sandbox.catalog import LOC
from sandbox.catalogue import load
from sandbox.shelf import read

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "provider-samples"
HEADERS = {"User-Agent": "bookmesh-tests/1.0 (tests@example.org)"}
NEVER_SHOWN = {
    # Numbers of other libraries and shops, which the catalogue does not have.
    "docs[].lcc", "docs[].lcc_sort", "docs[].lccn", "docs[].oclc", "docs[].id_amazon", "docs[].id_goodreads",
    "docs[].id_librarything", "docs[].id_depósito_legal", "docs[].ddc_sort", "docs[].ia_box_id", "docs[].ia_loaded_id",
    # What the catalogue's records do not tell.
    "docs[].publish_place", "docs[].contributor", "docs[].first_sentence", "docs[].death_date", "docs[].date",
    # Reading on the screen, which no search for books needs.
    "items[].accessInfo.epub.acsTokenLink",
}  # fmt: skip

Client = TestClient[web.Request, web.Application]
CASES = {
    "googlebooks_volumes_east_of_eden_840.json": [
        "/books/v1/volumes?q=the&maxResults=40",
        "/books/v1/volumes?q=inauthor:shakespeare&maxResults=40",
    ],
    "googlebooks_volumes_empty.json": ["/books/v1/volumes?q=zzzzzz"],
    "openlibrary_search_mistborn.json": ["/search.json?q=the&fields=*&limit=1000"],
    "openlibrary_search_authors_mark_twain.json": ["/search/authors.json?q=john", "/search/authors.json?q=society"],
    "openlibrary_author_works_roald_dahl_page.json": ["{author}/works.json?limit=5"],
}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of the sandbox over half of its own catalogue."""
    settings = Settings(google_keyless_per_day=None, open_library_per_second=0)
    async with TestClient(TestServer(create_app(load(read(LOC)[::2]), settings)), headers=HEADERS) as started:
        yield started


def _recorded(name: str, otherwise: object = None) -> Any:
    """A recorded body, or something else where it is not at hand."""
    sample = SAMPLES / name
    return json.loads(sample.read_text(encoding="utf-8")) if sample.exists() else otherwise


def _shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path of a body with the kind of what stands there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _shape(inner, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _shape(inner, f"{path}[]")
    elif path:
        yield path, "number" if type(value) in {int, float} else type(value).__name__


async def _produced(client: Client, paths: list[str]) -> dict[str, set[str]]:
    """The shape of our answers, taken together."""
    shapes: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        body = await (await client.get(path.format(author=await _author(client)))).json()
        for where, kind in _shape(body):
            shapes[where].add(kind)
    return shapes


async def _author(client: Client) -> str:
    """The path of an author of many works."""
    found = await (await client.get("/search/authors.json?q=shakespeare")).json()
    return f"/authors/{found['docs'][0]['key']}"


@pytest.mark.parametrize("name", CASES)
async def test_what_was_recorded_is_what_is_produced(client: Client, name: str) -> None:
    """Every field of the recorded body, where it is at hand, is one of ours, and holds the same kind of thing."""
    produced = await _produced(client, CASES[name])
    recorded = dict(_shape(_recorded(name)))
    wrong = {
        path: kind
        for path, kind in recorded.items()
        if path.removesuffix("[]") not in NEVER_SHOWN and kind not in produced[path]
    }
    assert (wrong, bool(produced)) == ({}, True)


async def test_a_spent_quota_is_told_as_recorded() -> None:
    """All but the project's number is the same as in the recorded body, where it is at hand."""
    app = create_app(load(read(LOC)[:10]), Settings(google_keyless_per_day=0))
    async with TestClient(TestServer(app)) as client:
        body = await (await client.get("/books/v1/volumes?q=a")).json()
    recorded = _recorded("googlebooks_error_429_quota.json", body)
    project = recorded["error"]["details"][0]["metadata"]["consumer"].removeprefix("projects/")
    assert (body["error"]["code"], body) == (429, json.loads(json.dumps(recorded).replace(project, "100000000001")))
