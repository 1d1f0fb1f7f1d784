"""The only place that says what a caller may ask of the cache."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a caller asks of the cache, after HTTP's Cache-Control (RFC 9111, 5.2.1)."""

    no_cache: bool = False
    """Ask the providers, whatever the cache holds."""
    only_if_cached: bool = False
    """Never ask a provider."""
    max_stale_s: float | None = None
    """Seconds that an answer may be past its time; None leaves that to the cache's own windows."""
    min_fresh_s: float = 0.0
    """Seconds that an answer must stay fresh yet; one that does not is none, and max_stale_s says nothing."""


NO_WISHES = Wishes()
"""What most callers ask."""
