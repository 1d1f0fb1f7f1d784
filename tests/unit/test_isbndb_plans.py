from typing import Any

import pytest

from mesh.breakers import Breakers
from mesh.config.problems import ConfigurationError
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from services.isbndb.env import Env
from services.isbndb.plans import terms_of


def env(**settings: Any) -> Env:
    """The leaf's bindings, with some settings changed."""
    bindings: dict[str, Any] = {
        "ISBNDB_API_KEY": Secret("ISBNDB_API_KEY", "canary"),
        "RATE_LIMIT_MS": 100,
        "MAX_BOOKS_PER_AUTHOR": 50,
        "MESH": Introspection(worker="isbndb", stats=Stats(), breakers=Breakers()),
    }
    return Env(**{**bindings, **settings})


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("basic", ("https://api2.isbndb.com", 1, 7_500, 100)),
        ("premium", ("https://api.premium.isbndb.com", 3, 15_000, 1_000)),
        ("pro", ("https://api.pro.isbndb.com", 5, 30_000, 1_000)),
        ("Enterprise ", ("https://api.enterprise.isbndb.com", 10, 0, 1_000)),
    ],
)
def test_plan_picks_host_and_limits(plan: str, expected: tuple[str, float, int, int]) -> None:
    """The plan's name alone decides where ISBNdb answers and what it allows."""
    terms = terms_of(env(ISBNDB_PLAN=plan))
    assert expected == (terms.base_url, terms.calls_per_second, terms.calls_per_day, terms.isbns_per_call)


@pytest.mark.parametrize(
    ("plan", "rate_limit_ms", "expected"),
    [
        ("basic", 100, 1.1),
        ("basic", 2_000, 2.0),
        ("pro", 100, 0.202),
        ("enterprise", 100, 0.101),
        ("enterprise", 0, 0.101),
    ],
)
def test_slower_limit_wins(plan: str, rate_limit_ms: int, expected: float) -> None:
    """Calls are as far apart as the slower of RATE_LIMIT_MS and the plan asks."""
    assert expected == pytest.approx(terms_of(env(ISBNDB_PLAN=plan, RATE_LIMIT_MS=rate_limit_ms)).interval_s)


def test_settings_overrule_plan() -> None:
    """The figures of a plan are reports, so that each of them can be set otherwise."""
    settings = {"ISBNDB_CALLS_PER_SECOND": 2.0, "ISBNDB_CALLS_PER_DAY": 500, "ISBNDB_ISBNS_PER_CALL": 10}
    terms = terms_of(env(ISBNDB_URL="http://127.0.0.1:7490/", **settings))
    assert (
        terms.base_url,
        terms.calls_per_second,
        terms.calls_per_day,
        terms.isbns_per_call,
    ) == ("http://127.0.0.1:7490", 2.0, 500, 10)


def test_no_daily_limit() -> None:
    """0 calls a day means that no limit is known, not that none is allowed."""
    assert terms_of(env(ISBNDB_CALLS_PER_DAY=0)).calls_per_day == 0


def test_unknown_plan_is_named() -> None:
    """A plan that nobody knows stops the start and names those that there are."""
    with pytest.raises(ConfigurationError) as caught:
        terms_of(env(ISBNDB_PLAN="premum"))
    expected = "must be one of basic, premium, pro, enterprise, not 'premum'. Did you mean 'premium'?"
    assert str(caught.value) == f"services.isbndb.env.Env.ISBNDB_PLAN: {expected}"


def test_all_problems_at_once() -> None:
    """Whoever has several settings wrong is told all of them in one message."""
    wrong = {
        "ISBNDB_PLAN": "gold",
        "RATE_LIMIT_MS": -1,
        "MAX_BOOKS_PER_AUTHOR": 1_001,
        "ISBNDB_CALLS_PER_SECOND": float("inf"),
        "ISBNDB_CALLS_PER_DAY": -2,
        "ISBNDB_ISBNS_PER_CALL": -1,
        "QUOTA_LIVE_RESERVE": 1.5,
        "ISBNDB_URL": "ftp://x",
    }
    with pytest.raises(ConfigurationError) as caught:
        terms_of(env(**wrong))
    assert sorted(problem.where.rpartition(".")[2] for problem in caught.value.problems) == sorted(wrong)


@pytest.mark.parametrize("url", ["x", "http://", "http://[", "//host", "http://host:0", "http://host:99999999"])
def test_wrong_address(url: str) -> None:
    """An address that no call could go to stops the start."""
    with pytest.raises(ConfigurationError, match="ISBNDB_URL"):
        terms_of(env(ISBNDB_URL=url))


def test_key_is_silent() -> None:
    """The bindings can be printed without telling the key."""
    assert "canary" not in repr(env())
