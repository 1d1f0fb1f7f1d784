"""The only place that knows ISBNdb's plans, and what the settings of the leaf make of them."""

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from mesh.config.problems import ConfigurationError, Problem, did_you_mean
from services.isbndb.env import Env

_WHERE = "services.isbndb.env.Env"

PAGE_SIZE_LIMIT = 1_000
"""Results that ISBNdb puts on one page at most."""

RESULT_LIMIT = 10_000
"""Results that ISBNdb gives of one search at most, however it is paged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a subscription allows. The daily figures are third parties' reports, so settings can overrule all of it."""

    name: str
    """As ISBNDB_PLAN gives it."""
    host: str
    """The host that serves keys of this plan; any other refuses them."""
    calls_per_second: float
    """Calls a second over all endpoints."""
    calls_per_day: int
    """Calls a day of UTC; 0 is no limit."""
    isbns_per_call: int
    """ISBNs in one bulk look-up."""


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name="basic",
            host="api2.isbndb.com",
            calls_per_second=1,
            calls_per_day=7_500,
            isbns_per_call=100,
        ),
        Plan(
            name="premium",
            host="api.premium.isbndb.com",
            calls_per_second=3,
            calls_per_day=15_000,
            isbns_per_call=1_000,
        ),
        Plan(
            name="pro",
            host="api.pro.isbndb.com",
            calls_per_second=5,
            calls_per_day=30_000,
            isbns_per_call=1_000,
        ),
        Plan(
            name="enterprise",
            host="api.enterprise.isbndb.com",
            calls_per_second=10,
            calls_per_day=0,
            isbns_per_call=1_000,
        ),
    )
}
"""Sources: the API description's section on authentication (hosts, seconds), price list and reports (days, bulk).
Enterprise's host is the one that fits the others'; ISBNDB_URL can name any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the leaf goes by: a plan with the settings applied."""

    plan: str
    """The plan's name."""
    base_url: str
    """Where ISBNdb answers, without a slash at the end."""
    calls_per_second: float
    """Calls that the plan allows a second."""
    interval_s: float
    """Seconds between the starts of two calls with one key: the slower of RATE_LIMIT_MS and the plan."""
    calls_per_day: int
    """Calls that the plan allows a day; 0 is no limit."""
    isbns_per_call: int
    """ISBNs in one bulk look-up."""
    books_per_page: int
    """Editions on one page of a bibliography, at most."""
    live_reserve: float
    """The share of a day's calls that batch work leaves to people."""


def interval_of(calls_per_second: float) -> float:
    """Seconds between two calls that keep within a rate.

    A gateway that allows one call a second has no room for a call that is a little early, so 1,100 ms are what works
    in practice; faster plans allow small bursts, which take the network's jitter up.
    """
    return (1.1 if calls_per_second <= 1 else 1.01) / calls_per_second


def terms_of(env: Env) -> Terms:
    """The plan with the settings applied.

    Raises:
        ConfigurationError: some settings make no sense, each of them a problem.
    """
    plan = PLANS.get(env.ISBNDB_PLAN.strip().lower())
    problems = [
        Problem(f"{_WHERE}.{name}", what)
        for name, right, what in (
            (
                "ISBNDB_PLAN",
                plan is not None,
                f"must be one of {', '.join(PLANS)}, not {env.ISBNDB_PLAN!r}.{did_you_mean(env.ISBNDB_PLAN, PLANS)}",
            ),
            ("RATE_LIMIT_MS", env.RATE_LIMIT_MS >= 0, f"must be 0 or more, not {env.RATE_LIMIT_MS}."),
            (
                "MAX_BOOKS_PER_AUTHOR",
                1 <= env.MAX_BOOKS_PER_AUTHOR <= PAGE_SIZE_LIMIT,
                f"must be 1 to {PAGE_SIZE_LIMIT}, not {env.MAX_BOOKS_PER_AUTHOR}.",
            ),
            (
                "ISBNDB_URL",
                not env.ISBNDB_URL or _is_web_address(env.ISBNDB_URL),
                f"must be an http or https address, not {env.ISBNDB_URL!r}.",
            ),
            (
                "ISBNDB_CALLS_PER_SECOND",
                math.isfinite(env.ISBNDB_CALLS_PER_SECOND) and env.ISBNDB_CALLS_PER_SECOND >= 0,
                f"must be 0 or more, not {env.ISBNDB_CALLS_PER_SECOND}.",
            ),
            (
                "ISBNDB_CALLS_PER_DAY",
                env.ISBNDB_CALLS_PER_DAY >= -1,
                f"must be -1 or more, not {env.ISBNDB_CALLS_PER_DAY}.",
            ),
            (
                "ISBNDB_ISBNS_PER_CALL",
                env.ISBNDB_ISBNS_PER_CALL >= 0,
                f"must be 0 or more, not {env.ISBNDB_ISBNS_PER_CALL}.",
            ),
            (
                "QUOTA_LIVE_RESERVE",
                0 <= env.QUOTA_LIVE_RESERVE <= 1,
                f"must be 0 to 1, not {env.QUOTA_LIVE_RESERVE}.",
            ),
        )
        if not right
    ]
    if plan is None or problems:
        raise ConfigurationError(problems)
    rate = env.ISBNDB_CALLS_PER_SECOND or plan.calls_per_second
    return Terms(
        plan=plan.name,
        base_url=(env.ISBNDB_URL or f"https://{plan.host}").rstrip("/"),
        calls_per_second=rate,
        interval_s=max(env.RATE_LIMIT_MS / 1000, interval_of(rate)),
        calls_per_day=plan.calls_per_day if env.ISBNDB_CALLS_PER_DAY < 0 else env.ISBNDB_CALLS_PER_DAY,
        isbns_per_call=env.ISBNDB_ISBNS_PER_CALL or plan.isbns_per_call,
        books_per_page=env.MAX_BOOKS_PER_AUTHOR,
        live_reserve=env.QUOTA_LIVE_RESERVE,
    )


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
