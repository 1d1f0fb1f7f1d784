"""The only place that says what the warmer's settings may be."""

from dataclasses import dataclass

from mesh.config.problems import ConfigurationError, Problem
from services.warmer.env import Env

_WHERE = "services.warmer.env.Env"

_LARGEST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the warmer goes by."""

    max_library_bytes: int
    """Bytes that a library may have."""
    max_library_rows: int
    """Rows that a library may have."""
    micro_batch: int
    """Searches that are looked at every quarter of an hour, about."""
    sample: int
    """Keys of each library that are looked at every night."""
    ahead_s: int
    """Seconds that an answer must stay fresh yet to be left alone."""
    concurrency: int
    """Batches that are under way in one process at a time."""


def settings_of(env: Env) -> Settings:
    """The settings, checked.

    Raises:
        ConfigurationError: some make no sense, each of them a problem.
    """
    limits = {"MAX_LIBRARY_BYTES": _LARGEST, "MAX_LIBRARY_ROWS": _LARGEST, "WARM_CONCURRENCY": 64}
    limits |= {"MICRO_BATCH_SEARCHES": 1_000_000, "VERIFY_SAMPLE": 1_000_000, "REFRESH_AHEAD_S": 30 * 86_400}
    problems = [
        Problem(f"{_WHERE}.{name}", f"must be 1 to {limit}, not {getattr(env, name)}.")
        for name, limit in limits.items()
        if not 1 <= getattr(env, name) <= limit
    ]
    if problems:
        raise ConfigurationError(problems)
    return Settings(
        max_library_bytes=env.MAX_LIBRARY_BYTES,
        max_library_rows=env.MAX_LIBRARY_ROWS,
        micro_batch=env.MICRO_BATCH_SEARCHES,
        sample=env.VERIFY_SAMPLE,
        ahead_s=env.REFRESH_AHEAD_S,
        concurrency=env.WARM_CONCURRENCY,
    )
