from dataclasses import replace
from typing import Any

import pytest

from mesh.stores.memory import MemoryBucket, MemoryKv
from services.books.settings import Settings, settings_of
from services.books.windows import Windows
from tests.unit.books_house import FakeLeaf, env_of


def env(**changes: Any) -> Any:
    """The shipped Env with some settings changed."""
    return replace(env_of(FakeLeaf(), MemoryKv(), MemoryBucket()), **changes)


def test_shipped_settings() -> None:
    """The manifest's own settings are taken as they are."""
    windows = Windows(fresh_s=604_800, negative_s=600, partial_s=60, revalidate_s=86_400, error_s=2_592_000)
    expected = Settings(
        windows=windows,
        hot_ttl_s=3_600,
        memory_ttl_s=300,
        memory_bytes=67_108_864,
        max_results=40,
        patience_s=0.025,
    )
    assert expected == settings_of(env())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_HOT_TTL", 0),
        ("CACHE_COLD_TTL", -1),
        ("CACHE_COLD_TTL", 10**10),
        ("CACHE_MEMORY_TTL", 0),
        ("CACHE_MEMORY_BYTES", -1),
        ("CACHE_NEGATIVE_TTL", 0),
        ("CACHE_PARTIAL_TTL", 0),
        ("CACHE_STALE_WHILE_REVALIDATE", -1),
        ("CACHE_STALE_IF_ERROR", -1),
        ("MAX_RESULTS_DEFAULT", 0),
        ("MAX_RESULTS_DEFAULT", 101),
        ("RATE_LIMIT_MS", -1),
        ("CACHE_PATIENCE_MS", 0),
    ],
)
def test_setting_without_sense_is_refused(name: str, value: int) -> None:
    """A setting under which the proxy would make no sense is named."""
    with pytest.raises(ValueError, match=name):
        settings_of(env(**{name: value}))


def test_all_problems_are_told_at_once() -> None:
    """Whoever set several wrong learns of all of them."""
    with pytest.raises(ValueError, match=r"CACHE_HOT_TTL.*MAX_RESULTS_DEFAULT.*RATE_LIMIT_MS"):
        settings_of(env(CACHE_HOT_TTL=0, MAX_RESULTS_DEFAULT=0, RATE_LIMIT_MS=-1))
