"""The only place that says what the warmer's settings may be, and what it takes ISBNdb's plans to allow."""

from dataclasses import dataclass

from mesh.config.problems import ConfigurationError, Problem, did_you_mean
from services.warmer.env import Env

_WHERE = "services.warmer.env.Env"

_LARGEST = 2**40


@dataclass(frozen=True, slots=True)
class Pace:
    """What a subscription to ISBNdb allows, as far as a plan's cost depends on it."""

    interval_s: float
    """Seconds from the start of one call to that of the next."""
    isbns_per_call: int
    """ISBNs in one bulk look-up."""


PACES = {
    "basic": Pace(1.1, 100),
    "premium": Pace(1.01 / 3, 1_000),
    "pro": Pace(1.01 / 5, 1_000),
    "enterprise": Pace(0.101, 1_000),
}
"""By ISBNDB_PLAN. The rates are ISBNdb's own, with the margin that keeps a client from being refused; the leaf goes by
the same figures, and it alone enforces them: here they only tell what a plan will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the warmer goes by."""

    max_library_bytes: int
    """Bytes that a library may have."""
    max_library_rows: int
    """Rows that a library may have."""
    concurrency: int
    """Batches of one job that are under way at a time."""
    pace: Pace
    """What plans are reckoned with."""


def settings_of(env: Env) -> Settings:
    """The settings, checked.

    Raises:
        ConfigurationError: some make no sense, each of them a problem.
    """
    limits = {"MAX_LIBRARY_BYTES": _LARGEST, "MAX_LIBRARY_ROWS": _LARGEST, "WARM_CONCURRENCY": 64}
    problems = [
        Problem(f"{_WHERE}.{name}", f"must be 1 to {limit}, not {getattr(env, name)}.")
        for name, limit in limits.items()
        if not 1 <= getattr(env, name) <= limit
    ]
    pace = PACES.get(env.ISBNDB_PLAN.strip().lower())
    if pace is None:
        meant = did_you_mean(env.ISBNDB_PLAN, PACES)
        what = f"must be one of {', '.join(PACES)}, not {env.ISBNDB_PLAN!r}.{meant}"
        problems.append(Problem(f"{_WHERE}.ISBNDB_PLAN", what))
    if pace is None or problems:
        raise ConfigurationError(problems)
    return Settings(
        max_library_bytes=env.MAX_LIBRARY_BYTES,
        max_library_rows=env.MAX_LIBRARY_ROWS,
        concurrency=env.WARM_CONCURRENCY,
        pace=pace,
    )
