"""The only place that says what the proxy's settings may be."""

from dataclasses import dataclass

from services.books.env import Env
from services.books.windows import Windows

MAX_RESULTS = 100
"""Works in one answer at most, as the contract has it; the cache keeps as many of each search."""

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


def settings_of(env: Env) -> Settings:
    """The settings, checked.

    Raises:
        ValueError: some make no sense; the message names each of them.
    """
    problems = [
        f"{name} must be 1 to {_YEAR_S} seconds, not {value}"
        for name, value in (
            ("CACHE_HOT_TTL", env.CACHE_HOT_TTL),
            ("CACHE_COLD_TTL", env.CACHE_COLD_TTL),
            ("CACHE_MEMORY_TTL", env.CACHE_MEMORY_TTL),
            ("CACHE_NEGATIVE_TTL", env.CACHE_NEGATIVE_TTL),
            ("CACHE_PARTIAL_TTL", env.CACHE_PARTIAL_TTL),
        )
        if not 1 <= value <= _YEAR_S
    ]
    problems += [
        f"{name} must be 0 to {_YEAR_S} seconds, not {value}"
        for name, value in (
            ("CACHE_STALE_WHILE_REVALIDATE", env.CACHE_STALE_WHILE_REVALIDATE),
            ("CACHE_STALE_IF_ERROR", env.CACHE_STALE_IF_ERROR),
        )
        if not 0 <= value <= _YEAR_S
    ]
    if env.CACHE_MEMORY_BYTES < 0:
        problems.append(f"CACHE_MEMORY_BYTES must be 0 or more, not {env.CACHE_MEMORY_BYTES}")
    if not 1 <= env.MAX_RESULTS_DEFAULT <= MAX_RESULTS:
        problems.append(f"MAX_RESULTS_DEFAULT must be 1 to {MAX_RESULTS}, not {env.MAX_RESULTS_DEFAULT}")
    if env.RATE_LIMIT_MS < 0:
        problems.append(f"RATE_LIMIT_MS must be 0 or more, not {env.RATE_LIMIT_MS}")
    if env.CACHE_PATIENCE_MS < 1:
        problems.append(f"CACHE_PATIENCE_MS must be 1 or more, not {env.CACHE_PATIENCE_MS}")
    if problems:
        raise ValueError("; ".join(problems))
    return Settings(
        windows=Windows(
            fresh_s=env.CACHE_COLD_TTL,
            negative_s=env.CACHE_NEGATIVE_TTL,
            partial_s=env.CACHE_PARTIAL_TTL,
            revalidate_s=env.CACHE_STALE_WHILE_REVALIDATE,
            error_s=env.CACHE_STALE_IF_ERROR,
        ),
        hot_ttl_s=env.CACHE_HOT_TTL,
        memory_ttl_s=env.CACHE_MEMORY_TTL,
        memory_bytes=env.CACHE_MEMORY_BYTES,
        max_results=env.MAX_RESULTS_DEFAULT,
        patience_s=env.CACHE_PATIENCE_MS / 1000,
    )
