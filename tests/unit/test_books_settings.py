from dataclasses import replace
from typing import Any

import pytest

from mesh.stores.memory import MemoryBucket, MemoryKv
from services.books.panel_opening import PROVIDERS
from services.books.settings import KNOWN_PROVIDERS, Settings, settings_of
from services.books.windows import Windows
from tests.unit.books_house import FakeLeaf, env_of


def env(**changes: Any) -> Any:
    """The shipped Env with some settings changed."""
    return replace(env_of(FakeLeaf(), MemoryKv(), MemoryBucket()), **changes)


def test_shipped_settings() -> None:
    """The manifest's own settings are taken as they are."""
    expected = Settings(
        windows=Windows(
            fresh_s=604_800,
            negative_s=600,
            warmed_negative_s=86_400,
            partial_s=60,
            revalidate_s=86_400,
            error_s=2_592_000,
        ),
        hot_ttl_s=3_600,
        memory_ttl_s=300,
        memory_bytes=67_108_864,
        max_results=40,
        patience_s=0.025,
        providers=("isbndb", "google_books", "open_library"),
        batch_providers=("isbndb", "open_library"),
        provider_wait_s=2.5,
        head_start_s=0.4,
        calls_per_second=10.0,
    )
    assert expected == settings_of(
        env(PROVIDERS="isbndb, google_books,open_library", BATCH_PROVIDERS="isbndb,open_library")
    )


def test_known_providers_can_be_opened() -> None:
    """Whoever a setting may name is somebody that the panel can open, and the other way round."""
    assert set(KNOWN_PROVIDERS) == set(PROVIDERS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_HOT_TTL", 0),
        ("CACHE_COLD_TTL", -1),
        ("CACHE_COLD_TTL", 10**10),
        ("CACHE_MEMORY_TTL", 0),
        ("CACHE_MEMORY_BYTES", -1),
        ("CACHE_NEGATIVE_TTL", 0),
        ("CACHE_WARMED_NEGATIVE_TTL", 0),
        ("CACHE_PARTIAL_TTL", 0),
        ("CACHE_STALE_WHILE_REVALIDATE", -1),
        ("CACHE_STALE_IF_ERROR", -1),
        ("MAX_RESULTS_DEFAULT", 0),
        ("MAX_RESULTS_DEFAULT", 101),
        ("RATE_LIMIT_MS", -1),
        ("CACHE_PATIENCE_MS", 0),
        ("PROVIDERS", " , "),
        ("PROVIDERS", "isbndb,isbndb"),
        ("PROVIDERS", "google_boks"),
        ("BATCH_PROVIDERS", ""),
        ("BATCH_PROVIDERS", "open_library"),
        ("PROVIDER_WAIT_MS", -1),
        ("ISBN_HEAD_START_MS", 60_001),
        ("GOOGLE_BOOKS_CALLS_PER_DAY", -1),
        ("GOOGLE_BOOKS_URL", "books.test"),
        ("OPEN_LIBRARY_URL", "ftp://books.test"),
        ("OPEN_LIBRARY_URL", "http://books.test:none"),
        ("OPEN_LIBRARY_CONTACT", "me@books.test\r\nX-Evil: 1"),
        ("QUOTA_LIVE_RESERVE", 1.5),
    ],
)
def test_setting_without_sense_is_refused(name: str, value: object) -> None:
    """A setting under which the proxy would make no sense is named."""
    with pytest.raises(ValueError, match=name):
        settings_of(env(**{name: value}))


def test_all_problems_are_told_at_once() -> None:
    """Whoever set several wrong learns of all of them."""
    with pytest.raises(ValueError, match=r"CACHE_HOT_TTL.*MAX_RESULTS_DEFAULT.*RATE_LIMIT_MS"):
        settings_of(env(CACHE_HOT_TTL=0, MAX_RESULTS_DEFAULT=0, RATE_LIMIT_MS=-1))
