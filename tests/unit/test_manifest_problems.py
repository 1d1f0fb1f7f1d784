"""What is wrong with a manifest is said all at once, by key, and is never anything but a ConfigurationError."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.manifest import Manifest, load_manifest, parse_manifest, read_manifest
from mesh.config.problems import ConfigurationError, Problem

PATH = Path("service.toml")
HEAD = 'name = "caller"\nmain = "services.caller"\n'


def problems(text: str, env: str | None = None) -> list[str]:
    """What a faulty manifest is told."""
    with pytest.raises(ConfigurationError) as caught:
        parse_manifest(dedent(text).encode(), PATH, env)
    return str(caught.value).splitlines()


def problem(text: str) -> str:
    """The one thing that is wrong with an otherwise whole manifest."""
    (line,) = problems(HEAD + dedent(text))
    return line


def test_all_at_once() -> None:
    """Every problem of a file stands in one message, a line each."""
    assert problems(
        """
        nam = "caller"
        main = 3
        [[services]]
        binding = "B"
        service = 4
        [triggers]
        crons = ["* * *"]
        [mesh.bindings.B]
        deadline_ms = 0
        """
    ) == [
        "service.toml:nam: is not a known key. Did you mean 'name'?",
        "service.toml:services[0].service: must be text, and is a whole number. Put it in quotes.",
        "service.toml:main: must be text, and is a whole number. Put it in quotes.",
        "service.toml:triggers.crons: '* * *' has 3 fields, where cron has 5: minute, hour, day, month, day of week.",
        "service.toml:name: is missing. It is the name that other services bind to.",
        "service.toml:mesh.bindings.B.deadline_ms: must be at least 1.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[service]]", "service: is not a known key. Did you mean 'services'?"),
        ("compatability_date = 1", "compatability_date: is not a known key. Did you mean 'compatibility_date'?"),
        ("[mesh]\nleave = true", "mesh.leave: is not a known key. Did you mean 'leaf'?"),
        ("[env.p.env.q]", "env.p.env: is not a known key. Did you mean 'dev'?"),
        ('"a\\nb" = 1', 'a\\nb": is not a known key.'),
    ],
)
def test_unknown_key(text: str, expected: str) -> None:
    """A key that nobody knows is named with the nearest one that is known."""
    assert expected in problem(text)


def test_unknown_setting() -> None:
    """A setting that no layer has is named with the nearest one that there is."""
    text = '[services]\nB = { service = "b" }\n[mesh.bindings.B]\ndeadline_s = 1'
    assert problem(text) == ("service.toml:mesh.bindings.B.deadline_s: is not a known key. Did you mean 'deadline_ms'?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services = 3", "services: must be a list of tables, and is a whole number."),
        ("services = [3]", "services[0]: must be a table, and is a whole number."),
        ("[services]\nB = 3", "services.B: must be a table, and is a whole number."),
        ("vars = []", "vars: must be a table, and is a list."),
        ("[vars]\nA = 1979-05-27", "vars.A: can't hold a date or time."),
        ("[vars]\nA = [nan]", "vars.A: can't hold a number that is not finite."),
        ("triggers = { crons = '* * * * *' }", "triggers.crons: must be a list of texts, and is text."),
        ("triggers = { crons = [1] }", "triggers.crons: must be a list of texts, and holds a whole number."),
        ("[mesh]\nleaf = 1", "mesh.leaf: must be true or false, and is a whole number."),
        ("env = 1", "env: must be a table, and is a whole number."),
        ("[env]\nproduction = 1", "env.production: must be a table, and is a whole number."),
    ],
)
def test_wrong_type(text: str, expected: str) -> None:
    """A value of the wrong type is named by its key, with the type wanted and the type found."""
    assert problem(text) == f"service.toml:{expected}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("max_concurrent = 0", "max_concurrent: must be at least 1."),
        ("batch_share = 2", "batch_share: must be from 0.01 to 1."),
        ("quue = 2", "quue: is not a known key. Did you mean 'queue'?"),
    ],
)
def test_wrong_entrypoint_setting(said: str, expected: str) -> None:
    """A setting of an entrypoint that is out of its range, or unknown, is named by its key."""
    assert problem(f"[mesh.entrypoints.Default]\n{said}") == f"service.toml:mesh.entrypoints.Default.{expected}"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("deadline_ms = 0", "deadline_ms: must be at least 1."),
        ("deadline_ms = true", "deadline_ms: must be a whole number, and is true or false."),
        ("deadline_ms = 1.5", "deadline_ms: must be a whole number, and is a number."),
        ("breaker = { open_s = 0 }", "breaker.open_s: must be a finite number of seconds above 0."),
        ("breaker = { open_s = inf }", "breaker.open_s: must be a finite number of seconds above 0."),
        (f"breaker = {{ open_s = 1{'0' * 400} }}", "breaker.open_s: must be a finite number of seconds above 0."),
        ("breaker = { open_s = '5' }", "breaker.open_s: must be a number of seconds, and is text."),
        ("breaker = { consecutive_failures = -1 }", "breaker.consecutive_failures: must be at least 0."),
        ("breaker = { slow_rate = 60 }", "breaker.slow_rate: must be from 0 to 1."),
        ("breaker = { growth = inf }", "breaker.growth: must be from 1 to 10."),
        ("retry = { attempts = 0 }", "retry.attempts: must be at least 1."),
        ("hedge = { quantile = 0.1 }", "hedge.quantile: must be from 0.5 to 1."),
        ("methods.Get.hedge.on = true", "methods.Get.hedge.on: is not a known key. Known here: enabled, quantile."),
        ("breaker = { probes = 0 }", "breaker.probes: must be at least 1."),
        ("breaker = false", "breaker: must be a table, and is true or false."),
    ],
)
def test_wrong_setting(setting: str, expected: str) -> None:
    """A setting out of its range or type is named by its key."""
    text = f'[services]\nB = {{ service = "b" }}\n[mesh.bindings.B]\n{setting}'
    assert problem(text) == f"service.toml:mesh.bindings.B.{expected}"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[services]]\nbinding = "B"', "services[0].service"),
        ('[[services]]\nservice = "b"', "services[0].binding"),
        ('[[kv_namespaces]]\nbinding = "K"', "kv_namespaces[0].id"),
        ('[[r2_buckets]]\nbinding = "R"', "r2_buckets[0].bucket_name"),
        ('[[secrets_store_secrets]]\nbinding = "S"', "secrets_store_secrets[0].secret_name"),
        ('[env.p.services]\nB = { entrypoint = "Admin" }', "env.p.services.B.service"),
    ],
)
def test_missing_key(text: str, key: str) -> None:
    """A binding that does not say what it binds to is named, also where only an environment has it."""
    assert problem(text).startswith(f"service.toml:{key}: is missing.")


def test_empty_text() -> None:
    """A name that is there and empty is one problem, not a missing name too."""
    assert problems('name = ""\nmain = "m"') == ["service.toml:name: is empty. Give it a value, or leave the key out."]


@pytest.mark.parametrize("name", ["Books", "books api", "-books", "b" * 64, "bücher"])
def test_service_name(name: str) -> None:
    """A service's name follows wrangler's rule, since others know the service by it."""
    (line,) = problems(f'name = "{name}"\nmain = "m"')
    assert line.startswith(f"service.toml:name: '{name}' is no service name.")


@pytest.mark.parametrize("name", ["cache", "CacheHot", "1ST", "A-B", "_A", "É"])
def test_binding_name(name: str) -> None:
    """A binding's name is in capitals, since it becomes a field of Env."""
    text = f'[[kv_namespaces]]\nbinding = "{name}"\nid = "k"'
    assert problem(text).startswith(f"service.toml:kv_namespaces[0].binding: '{name}' is no binding name.")


def test_same_name_in_one_list() -> None:
    """A binding declared twice is a problem where it stands for the second time."""
    text = '[[services]]\nbinding = "B"\nservice = "b"\n[[services]]\nbinding = "B"\nservice = "c"'
    assert problem(text) == "service.toml:services[1].binding: 'B' is declared twice. Keep one of the two."


@pytest.mark.parametrize(
    ("text", "second", "first"),
    [
        ('kv_namespaces.A.id = "k"\n[services]\nA = { service = "b" }', "kv_namespaces.A", "services.A"),
        ('[vars]\nA = 1\n[r2_buckets]\nA = { bucket_name = "r" }', "vars.A", "r2_buckets.A"),
        ('kv_namespaces.A.id = "k"\n[env.p.vars]\nA = 1', "env.p.vars.A", "kv_namespaces.A"),
    ],
)
def test_same_name_in_two_kinds(text: str, second: str, first: str) -> None:
    """Two kinds of binding can't share a name, since Env has one field of each name."""
    assert problem(text).startswith(f"service.toml:{second}: 'A' is the name of service.toml:{first} too.")


def test_binding_to_itself() -> None:
    """A service does not bind to itself."""
    assert problem('[[services]]\nbinding = "B"\nservice = "caller"').startswith(
        "service.toml:services[0].service: 'B' binds 'caller' to itself."
    )


def test_entrypoint_that_no_class_could_be() -> None:
    """An entrypoint is the name of a class."""
    text = '[services]\nB = { service = "b", entrypoint = "the admin" }'
    assert problem(text) == "service.toml:services.B.entrypoint: 'the admin' is no name of a class."


def test_settings_of_no_binding() -> None:
    """Settings for a binding that there is not are named with the nearest that there is."""
    text = '[services]\nBOOKS = { service = "b" }\n[mesh.bindings.BOKS]\ndeadline_ms = 1'
    assert problem(text) == (
        "service.toml:mesh.bindings.BOKS: has settings, but 'BOKS' is no service binding here. Did you mean 'BOOKS'?"
    )


def test_fault_in_another_environment() -> None:
    """A fault in an environment that nobody asked for shows too, before the day it is needed."""
    assert problem("[env.staging.mesh]\nleaf = 1").startswith("service.toml:env.staging.mesh.leaf:")


def test_var_stays_unsaid() -> None:
    """No problem repeats the value of a var, since people put secrets there."""
    assert "hunter2" not in "\n".join(problems('[vars]\nlower = "hunter2"\nA = [1979-05-27, "hunter2"]'))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("s.toml", b'name = "a"\nmain =\n', "s.toml:2:7: can't be parsed: Invalid value."),
        ("s.toml", b'name = "a', "s.toml:1:10: can't be parsed: Unterminated string."),
        ("s.toml", b"a = 1\n\xff = 2", "s.toml:2: is not UTF-8. Save the file with that encoding."),
        ("s.toml", b"a = " + b"[" * 5_000, "s.toml: is nested too deeply."),
        ("s.json", b'{"a": /* one\n two */ 1\n "b": 2}', "s.json:3:2: is not JSON: Expecting ',' delimiter."),
        ("s.json", b'{"a": NaN}', "s.json: can't be parsed: NaN is no JSON number."),
        ("s.json", b'{"a": 1, "a": 2}', 's.json: can\'t be parsed: the key "a" stands twice in one object.'),
        ("s.json", b"[]", "s.json: must hold a table, and holds a list."),
        ("s.yaml", b"a: 1", "s.yaml: can't be parsed: a name ending in '.yaml', where .toml, .json or .jsonc "),
    ],
)
def test_syntax(name: str, data: bytes, expected: str) -> None:
    """A fault of syntax gives the file and, where its parser knows them, the line and the column."""
    with pytest.raises(ConfigurationError) as caught:
        parse_manifest(data, Path(name))
    assert str(caught.value).startswith(expected)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is a problem like any other."""
    with pytest.raises(ConfigurationError, match="can't be read: No such file or directory"):
        read_manifest(tmp_path / "service.toml")


def test_a_directory(tmp_path: Path) -> None:
    """A directory in place of a file is a problem like any other."""
    with pytest.raises(ConfigurationError, match="can't be read: Is a directory"):
        read_manifest(tmp_path)


def test_problems_of_many_files(tmp_path: Path) -> None:
    """Who reads many files gets what could be understood, and each problem once, beside those of other files."""
    path = tmp_path / "service.toml"
    path.write_text(f"{HEAD}[mesh]\nleaf = 1\n[kv_namespaces]\nA = {{}}\n[env.staging]\n[env.production]")
    found: list[Problem] = []
    manifest = load_manifest(path, None, found)
    assert manifest is not None
    assert (manifest.name, len(found)) == ("caller", 2)


KEYS = st.sampled_from(
    [
        *("name", "main", "services", "kv_namespaces", "r2_buckets", "secrets_store_secrets", "vars", "triggers"),
        *("env", "mesh", "leaf", "bindings", "limits", "binding", "service", "entrypoint", "props", "id", "crons"),
        *("bucket_name", "secret_name", "store_id", "deadline_ms", "breaker", "open_s", "enabled", "B", "production"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "B", "* * * * *", "Admin", "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, VALUES, max_size=8), st.sampled_from([None, "production"]))
def test_any_document(document: dict[str, object], env: str | None) -> None:
    """Whatever stands under the known keys, a reading ends in a manifest or in a ConfigurationError with problems."""
    try:
        found: object = parse_manifest(json.dumps(document).encode(), Path("wrangler.json"), env)
    except ConfigurationError as error:
        found = error.problems
    assert isinstance(found, Manifest) or found


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([".toml", ".json"]))
def test_any_bytes(data: bytes, suffix: str) -> None:
    """Whatever bytes a file has, a reading ends in a ConfigurationError with problems."""
    with pytest.raises(ConfigurationError) as caught:
        parse_manifest(data, PATH.with_suffix(suffix))
    assert caught.value.problems
