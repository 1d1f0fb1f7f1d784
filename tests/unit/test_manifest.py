"""A manifest is read as it stands, in each of wrangler's forms, for each environment."""

from pathlib import Path
from textwrap import dedent

import pytest

from mesh.config.binding_settings import BindingSettings, HedgeSettings, RetrySettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.manifest import (
    BucketBinding,
    KvBinding,
    Manifest,
    SecretBinding,
    ServiceBinding,
    parse_manifest,
    read_manifest,
)

SEED = Path(__file__).parents[1] / "fixtures" / "seed"
SEED_STORE = "b0562ac16fde468c8af12717a6c88400"


def parse(text: str, env: str | None = None) -> Manifest:
    """A manifest of a name, a main and what a test adds."""
    return parse_manifest(
        f'name = "caller"\nmain = "services.caller"\n{dedent(text)}'.encode(), Path("service.toml"), env
    )


BOUND = """
[[services]]
binding = "B"
service = "b"
entrypoint = "Admin"
props = { tier = "gold" }
"""


def test_seed_warmer() -> None:
    """The seed's warmer loads as it stands, with its two services, its stores and its cron lines."""
    assert read_manifest(SEED / "personal-library-cache-warmer.toml") == Manifest(
        name="personal-library-cache-warmer",
        main="src/index.js",
        path=SEED / "personal-library-cache-warmer.toml",
        environment=None,
        environments=(),
        services=(
            ServiceBinding(binding="BOOKS_API_PROXY", service="books-api-proxy"),
            ServiceBinding(binding="ISBNDB_WORKER", service="isbndb-biography-worker-production"),
        ),
        kv_namespaces=(KvBinding("WARMING_CACHE", "69949ba5a5b44214b7a2e40c1b687c35"),),
        r2_buckets=(BucketBinding("LIBRARY_DATA", "personal-library-data"),),
        secrets=(SecretBinding("ISBNDB_API_KEY", "ISBNDB_API_KEY", SEED_STORE),),
        vars={},
        crons=("*/15 * * * *", "0 2 * * *"),
        leaf=False,
        entrypoint_settings={},
        binding_settings={"BOOKS_API_PROXY": BindingSettings(), "ISBNDB_WORKER": BindingSettings()},
        ignored=("compatibility_date", "compatibility_flags", "limits", "observability"),
    )


def test_seed_proxy_secrets() -> None:
    """The seed's proxy keeps the binding and the name of each of its four secrets apart."""
    manifest = read_manifest(SEED / "books-api-proxy.toml")
    assert manifest.secrets == (
        SecretBinding("GOOGLE_BOOKS_API_KEY", "Google_books_hardoooe", SEED_STORE),
        SecretBinding("GOOGLE_BOOKS_IOSKEY", "Google_books_ioskey", SEED_STORE),
        SecretBinding("ISBNDB_API_KEY", "ISBNDB_API_KEY", SEED_STORE),
        SecretBinding("ISBN_SEARCH_KEY", "ISBN_search_key", SEED_STORE),
    )


def test_seed_leaf_vars() -> None:
    """The seed's leaf loads with its vars as the texts that they are there."""
    manifest = read_manifest(SEED / "isbndb-biography-worker.toml")
    assert manifest.vars == {"RATE_LIMIT_MS": "100", "MAX_BOOKS_PER_AUTHOR": "50"}


def test_json_form_says_the_same() -> None:
    """The JSON form of a manifest means what its TOML form means."""
    toml = read_manifest(SEED / "books-api-proxy.toml")
    json = read_manifest(SEED / "books-api-proxy.json")
    assert [getattr(toml, field) for field in Manifest.__slots__ if field != "path"] == [
        getattr(json, field) for field in Manifest.__slots__ if field != "path"
    ]


def test_seed_json_example() -> None:
    """The seed's wrangler.json example loads, with its named entrypoint."""
    assert read_manifest(SEED / "worker-a.json").services == (
        ServiceBinding(binding="WORKER_B", service="worker-b", entrypoint="AdminEntrypoint"),
    )


@pytest.mark.parametrize(
    ("env", "service"), [(None, "worker-b"), ("production", "worker-b-prod"), ("staging", "worker-b-staging")]
)
def test_seed_environments(env: str | None, service: str) -> None:
    """The seed's table form of an environment points the binding at that environment's service."""
    assert read_manifest(SEED / "worker-a.toml", env).services[0].service == service


@pytest.mark.parametrize(
    "form",
    [
        '[env.production.services]\nB = { service = "b-prod" }',
        '[env.production]\nservices = [{ binding = "B", service = "b-prod" }]',
        '[[env.production.services]]\nbinding = "B"\nservice = "b-prod"',
    ],
)
def test_environment_forms(form: str) -> None:
    """Each form of an environment's binding overrides by name, and keeps what it does not say."""
    assert parse(BOUND + form, "production").services == (
        ServiceBinding(binding="B", service="b-prod", entrypoint="Admin", props={"tier": "gold"}),
    )


def test_environment_adds_a_binding() -> None:
    """A binding that only an environment has stands beside those of the top."""
    manifest = parse(BOUND + '[env.production.kv_namespaces]\nCACHE = { id = "prod" }', "production")
    assert (manifest.services[0].service, manifest.kv_namespaces) == ("b", (KvBinding("CACHE", "prod"),))


def test_environment_overrides_the_rest() -> None:
    """Name, main, vars and crons of an environment go before those of the top; vars do so one by one."""
    manifest = parse(
        """
        [vars]
        ONE = "1"
        TWO = "2"
        [triggers]
        crons = ["* * * * *"]
        [env.production]
        name = "caller-production"
        main = "services.other"
        vars = { TWO = "zwei" }
        triggers = { crons = [] }
        """,
        "production",
    )
    assert (manifest.name, manifest.main, dict(manifest.vars), manifest.crons) == (
        "caller-production",
        "services.other",
        {"ONE": "1", "TWO": "zwei"},
        (),
    )


def test_environment_leaves_the_crons() -> None:
    """An environment that says nothing of cron lines leaves them as they were."""
    manifest = parse('triggers = { crons = ["* * * * *"] }\n[env.production]', "production")
    assert manifest.crons == ("* * * * *",)


def test_environment_that_is_not_there() -> None:
    """A manifest without the environment asked for is read as it stands, and says so."""
    manifest = parse('[env.staging]\nname = "caller-staging"', "production")
    assert (manifest.name, manifest.environment, manifest.environments) == ("caller", None, ("staging",))


def test_environment_that_is_there() -> None:
    """A manifest says which environment it was read for."""
    assert parse("[env.staging]", "staging").environment == "staging"


def test_settings() -> None:
    """Settings of a binding are read, and those unsaid have the defaults of the system this one replaces."""
    manifest = parse(BOUND + "[mesh.bindings.B]\ndeadline_ms = 2_500\nbreaker = { open_s = 5 }")
    assert manifest.binding_settings == {
        "B": BindingSettings(deadline_ms=2_500, breaker=BreakerSettings(consecutive_failures=3, open_s=5.0)),
    }


def test_rates_of_a_breaker() -> None:
    """The rates of a breaker, its window and how it comes back are settings, too."""
    said = "failure_rate = 1, slow_rate = 0.6, slow_s = 4, window_s = 20, minimum_calls = 5, probes = 4, growth = 2"
    said += ", enforced = false"
    manifest = parse(BOUND + "[mesh.bindings.B]\nbreaker = { " + said + " }")
    assert manifest.binding_settings["B"].breaker == BreakerSettings(
        failure_rate=1, slow_rate=0.6, slow_s=4, window_s=20, minimum_calls=5, probes=4, growth=2, enforced=False
    )


def test_second_tries() -> None:
    """Retries, hedges and the reserve of a binding are settings, and those of a method lie over the binding's."""
    settings = parse(
        BOUND
        + """
        [mesh.bindings.B]
        reserve_ms = 20
        retry = { attempts = 2, budget = 0.1 }
        [mesh.bindings.B.methods.Get]
        hedge = { enabled = true }
        retry = { attempts = 4 }
        """
    ).binding_settings["B"]
    assert (settings.reserve_ms, settings.of("Set").retry.attempts, settings.of("Set").hedge.enabled) == (20, 2, False)
    assert settings.of("Get") == BindingSettings(
        reserve_ms=20, retry=RetrySettings(attempts=4, budget=0.1), hedge=HedgeSettings(enabled=True)
    )


def test_settings_of_an_entrypoint() -> None:
    """How much an entrypoint takes on is a setting, and an environment's goes before the top's."""
    manifest = parse(
        """
        [mesh.entrypoints.Default]
        max_concurrent = 10
        rate_per_s = 2.5
        [env.production.mesh.entrypoints.Default]
        max_concurrent = 99
        """,
        "production",
    )
    assert manifest.entrypoint_settings == {"Default": EntrypointSettings(max_concurrent=99, rate_per_s=2.5)}


def test_default_settings() -> None:
    """A binding without settings has ten seconds, and a breaker of three failures and sixty seconds."""
    assert parse(BOUND).binding_settings["B"] == BindingSettings(
        deadline_ms=10_000, breaker=BreakerSettings(consecutive_failures=3, open_s=60.0, enabled=True)
    )


def test_environment_settings() -> None:
    """An environment's settings go before those of the top, one by one."""
    manifest = parse(
        BOUND
        + """
        [mesh.bindings.B]
        deadline_ms = 2_500
        breaker = { open_s = 5, consecutive_failures = 9 }
        [env.production.mesh.bindings.B.breaker]
        enabled = false
        open_s = 6.5
        """,
        "production",
    )
    assert manifest.binding_settings["B"] == BindingSettings(
        deadline_ms=2_500, breaker=BreakerSettings(consecutive_failures=9, open_s=6.5, enabled=False)
    )


def test_environment_leaves_the_breaker() -> None:
    """An environment that says nothing of a breaker leaves it as it was."""
    text = "[mesh.bindings.B]\nbreaker = { open_s = 5 }\n[env.production.mesh.bindings.B]\ndeadline_ms = 9"
    assert parse(BOUND + text, "production").binding_settings["B"] == BindingSettings(
        deadline_ms=9, breaker=BreakerSettings(open_s=5.0)
    )


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("", False),
        ("[mesh]\nleaf = true", True),
        ("[mesh]\nleaf = true\n[env.production]", True),
        ("[mesh]\nleaf = true\n[env.production.mesh]\nleaf = false", False),
    ],
)
def test_leaf(text: str, leaf: bool) -> None:  # noqa: FBT001 - a parameter of the test, named in the list above
    """A manifest declares its service a leaf, for every environment that does not say otherwise."""
    assert parse(text, "production").leaf is leaf


def test_values_are_frozen() -> None:
    """A var is what it was in the file, and nothing in it can be changed."""
    manifest = parse("[vars]\nDEEP = { list = [1, 2.5, { yes = true }] }")
    assert manifest.vars["DEEP"] == {"list": (1, 2.5, {"yes": True})}


def test_ignored_keys() -> None:
    """What is wrangler's and means nothing here is accepted and listed, wherever it stands."""
    manifest = parse(
        """
        workers_dev = true
        routes = ["example.com/*"]
        [placement]
        mode = "smart"
        [[r2_buckets]]
        binding = "COLD"
        bucket_name = "cold"
        preview_bucket_name = "cold-preview"
        [env.production]
        account_id = "a1"
        """,
        "production",
    )
    assert manifest.ignored == (
        "workers_dev",
        "routes",
        "placement",
        "r2_buckets[0].preview_bucket_name",
        "env.production.account_id",
    )


def test_json_comments() -> None:
    """Comments in the JSON form are passed over, and two slashes in a text are none."""
    text = b'{ // a note\n "name": "a", /* two\n lines */ "main": "b", "vars": { "URL": "http://c" } }'
    assert parse_manifest(text, Path("wrangler.jsonc")).vars == {"URL": "http://c"}


def test_byte_order_mark() -> None:
    """A file that an editor began with a byte order mark is read like any other."""
    assert parse_manifest(b'\xef\xbb\xbfname = "a"\nmain = "b"', Path("service.toml")).name == "a"
