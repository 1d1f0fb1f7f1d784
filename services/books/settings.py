"""The only place that says what the proxy's settings may be."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from mesh.config.problems import did_you_mean
from services.books.env import Env
from services.books.windows import Windows

MAX_RESULTS = 100
"""Works in one answer at most, as the contract has it; the cache keeps as many of each search."""

KNOWN_PROVIDERS = ("isbndb", "google_books", "open_library")
"""Whom PROVIDERS may name; `panel_opening` has how each is opened."""

_LONGEST_WAIT_MS = 60_000

_MOST_BYTES = 2**40

_YEAR_S = 366 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the proxy goes by."""

    windows: Windows
    """How long an answer is worth what."""
    hot_ttl_s: float
    """Seconds that an answer lies in the hot tier."""
    memory_ttl_s: float
    """Seconds that an answer lies in memory."""
    memory_bytes: int
    """Bytes that answers may take in memory."""
    max_results: int
    """Works in an answer to a search that does not say how many."""
    patience_s: float
    """Seconds that a search waits for a tier."""
    providers: tuple[str, ...]
    """Whom searches may ask, the most trusted first."""
    batch_providers: tuple[str, ...]
    """Whom work may ask that nobody waits for, in order."""
    provider_wait_s: float
    """Seconds that a search waits for the other providers once one has found something."""
    head_start_s: float
    """Seconds that the first provider has for the book of an ISBN before the others are asked as well."""
    calls_per_second: float
    """Calls to one provider that may begin in a second; 0 is no limit."""


def settings_of(env: Env) -> Settings:
    """The settings, checked.

    Raises:
        ValueError: some make no sense; the message names each of them.
    """
    providers, batch_providers = _names(env.PROVIDERS), _names(env.BATCH_PROVIDERS)
    problems = [*_out_of_range(env), *_problems_of_providers(env), *_problems_of(providers, batch_providers)]
    if problems:
        raise ValueError("; ".join(problems))
    return Settings(
        windows=Windows(
            fresh_s=env.CACHE_COLD_TTL,
            negative_s=env.CACHE_NEGATIVE_TTL,
            warmed_negative_s=env.CACHE_WARMED_NEGATIVE_TTL,
            partial_s=env.CACHE_PARTIAL_TTL,
            revalidate_s=env.CACHE_STALE_WHILE_REVALIDATE,
            error_s=env.CACHE_STALE_IF_ERROR,
        ),
        hot_ttl_s=env.CACHE_HOT_TTL,
        memory_ttl_s=env.CACHE_MEMORY_TTL,
        memory_bytes=env.CACHE_MEMORY_BYTES,
        max_results=env.MAX_RESULTS_DEFAULT,
        patience_s=env.CACHE_PATIENCE_MS / 1000,
        providers=providers,
        batch_providers=batch_providers,
        provider_wait_s=env.PROVIDER_WAIT_MS / 1000,
        head_start_s=env.ISBN_HEAD_START_MS / 1000,
        calls_per_second=1000 / env.RATE_LIMIT_MS if env.RATE_LIMIT_MS else 0.0,
    )


def _out_of_range(env: Env) -> Iterator[str]:
    """What is wrong with numbers."""
    for unit, least, most, named in (
        (
            "seconds",
            1,
            _YEAR_S,
            {
                "CACHE_HOT_TTL": env.CACHE_HOT_TTL,
                "CACHE_COLD_TTL": env.CACHE_COLD_TTL,
                "CACHE_MEMORY_TTL": env.CACHE_MEMORY_TTL,
                "CACHE_NEGATIVE_TTL": env.CACHE_NEGATIVE_TTL,
                "CACHE_WARMED_NEGATIVE_TTL": env.CACHE_WARMED_NEGATIVE_TTL,
                "CACHE_PARTIAL_TTL": env.CACHE_PARTIAL_TTL,
            },
        ),
        (
            "seconds",
            0,
            _YEAR_S,
            {
                "CACHE_STALE_WHILE_REVALIDATE": env.CACHE_STALE_WHILE_REVALIDATE,
                "CACHE_STALE_IF_ERROR": env.CACHE_STALE_IF_ERROR,
            },
        ),
        ("bytes", 0, _MOST_BYTES, {"CACHE_MEMORY_BYTES": env.CACHE_MEMORY_BYTES}),
        ("works", 1, MAX_RESULTS, {"MAX_RESULTS_DEFAULT": env.MAX_RESULTS_DEFAULT}),
        ("ms", 1, _LONGEST_WAIT_MS, {"CACHE_PATIENCE_MS": env.CACHE_PATIENCE_MS}),
        (
            "ms",
            0,
            _LONGEST_WAIT_MS,
            {
                "RATE_LIMIT_MS": env.RATE_LIMIT_MS,
                "PROVIDER_WAIT_MS": env.PROVIDER_WAIT_MS,
                "ISBN_HEAD_START_MS": env.ISBN_HEAD_START_MS,
            },
        ),
    ):
        for name, value in named.items():
            if not least <= value <= most:
                yield f"{name} must be {least} to {most} {unit}, not {value}"


def _problems_of_providers(env: Env) -> Iterator[str]:
    """What is wrong with how the proxy itself speaks to providers."""
    for name, count in (
        ("GOOGLE_BOOKS_CALLS_PER_DAY", env.GOOGLE_BOOKS_CALLS_PER_DAY),
        ("OPEN_LIBRARY_CALLS_PER_SECOND", env.OPEN_LIBRARY_CALLS_PER_SECOND),
    ):
        if not 0 <= count < math.inf:
            yield f"{name} must be 0 or more, not {count}"
    if not 0 <= env.QUOTA_LIVE_RESERVE <= 1:
        yield f"QUOTA_LIVE_RESERVE must be 0 to 1, not {env.QUOTA_LIVE_RESERVE}"
    for name, url in (("GOOGLE_BOOKS_URL", env.GOOGLE_BOOKS_URL), ("OPEN_LIBRARY_URL", env.OPEN_LIBRARY_URL)):
        if url and not _is_address(url):
            yield f"{name} must be an address that begins with http:// or https://, not {url!r}"
    if not (env.OPEN_LIBRARY_CONTACT.isascii() and env.OPEN_LIBRARY_CONTACT.isprintable()):
        yield "OPEN_LIBRARY_CONTACT must be plain ASCII, for it goes into a header"


def _names(said: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in said.split(",") if name.strip())


def _problems_of(providers: tuple[str, ...], batch_providers: tuple[str, ...]) -> Iterator[str]:
    for var, names, known in (
        ("PROVIDERS", providers, KNOWN_PROVIDERS),
        ("BATCH_PROVIDERS", batch_providers, providers),
    ):
        if not names:
            yield f"{var} must name a provider"
        if len(set(names)) < len(names):
            yield f"{var} must name each provider once"
        for name in names:
            if name not in known:
                yield f"{var} names {name!r}, which is none of {', '.join(known)}.{did_you_mean(name, known)}"


def _is_address(url: str) -> bool:
    """Whether calls can go there."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
