"""The answer as typed models: what one would write for FastAPI and httpx in the place of the contract."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel

Format = Literal["FORMAT_UNSPECIFIED", "FORMAT_HARDCOVER", "FORMAT_PAPERBACK", "FORMAT_OTHER_PRINT"]


class Author(BaseModel):
    """Who wrote a work."""

    name: str


class Identifier(BaseModel):
    """What a catalogue calls a work."""

    scheme: str
    value: str


class Edition(BaseModel):
    """One printing of a work."""

    isbn_13: str
    isbn_10: str
    publisher: str
    publication_date: str
    page_count: int
    format: Format
    language: str
    cover_uri: str
    provider: str


class Work(BaseModel):
    """What an author wrote."""

    id: str
    title: str
    subtitle: str
    authors: list[Author]
    first_publication_year: int
    identifiers: list[Identifier]
    editions: list[Edition]
    subjects: list[str]
    synopsis: str


class Interpretation(BaseModel):
    """How the query was understood."""

    kind: Literal["QUERY_KIND_TEXT", "QUERY_KIND_ISBN", "QUERY_KIND_TITLE", "QUERY_KIND_AUTHOR"]
    normalized_text: str
    language: str


class Provenance(BaseModel):
    """Where the answer came from."""

    tier: Literal["TIER_MEMORY", "TIER_HOT", "TIER_COLD", "TIER_ORIGIN"]
    cache_time: dt.datetime
    age_ms: int
    fresh_until_time: dt.datetime
    key: str


class ProviderOutcome(BaseModel):
    """What one provider did for it."""

    provider: str
    state: Literal["PROVIDER_STATE_ANSWERED", "PROVIDER_STATE_EMPTY", "PROVIDER_STATE_FAILED"]
    edition_count: int
    duration_ms: float
    call_count: int


class Answer(BaseModel):
    """The answer to a search."""

    results: list[Work]
    interpretation: Interpretation | None = None
    provenance: Provenance | None = None
    providers: list[ProviderOutcome] = []
