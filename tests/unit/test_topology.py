"""What does not hold together between manifests and the address book is said, all of it."""

import dataclasses
import itertools
from pathlib import Path

import pytest

from mesh.config.address_book import AddressBook, parse_address_book, read_address_book
from mesh.config.manifest import Manifest, load_manifest, parse_manifest, read_manifest
from mesh.config.problems import ConfigurationError, Problem
from mesh.config.topology import MAX_CHAIN, check, start_order

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests" / "fixtures" / "seed"


def manifest(name: str, *services: str, more: str = "") -> Manifest:
    """A manifest that binds to services; "b:Admin" names an entrypoint."""
    text = f'name = "{name}"\nmain = "services.{name}"\n'
    for index, service in enumerate(services):
        target, _, entrypoint = service.partition(":")
        text += f'[[services]]\nbinding = "B{index}"\nservice = "{target}"\n'
        text += f'entrypoint = "{entrypoint}"\n' if entrypoint else ""
    return parse_manifest((text + more).encode(), Path(f"{name}/service.toml"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of an address book, and where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def book(*names: str, more: str = "") -> AddressBook:
    """An address book of these services, each with a manifest of its name and without an Admin."""
    text = ""
    for name in names:
        Path(name).mkdir()
        (Path(name) / "service.toml").touch()
        text += f'[services.{name}]\nmanifest = "{name}/service.toml"\ndefault = "127.0.0.1:0"\n'
    return parse_address_book((text + more).encode(), Path("mesh.toml"))


def lines(problems: list[Problem]) -> list[str]:
    """Problems as people read them."""
    return [str(problem) for problem in problems]


@pytest.mark.usefixtures("home")
def test_whole() -> None:
    """Nothing is wrong with services that bind to one another in one direction."""
    manifests = [manifest("a", "b", "c"), manifest("b", "c"), manifest("c", more="[mesh]\nleaf = true")]
    assert check(manifests, book("a", "b", "c"), None) == []


@pytest.mark.usefixtures("home")
def test_all_at_once() -> None:
    """Every problem between files is told, not only the first."""
    manifests = [
        manifest("aa", "bb", "ccx", "bb:Admin", "dd:Batch"),
        manifest("bb", "aa"),
        manifest("cc", "dd", more="[mesh]\nleaf = true"),
        manifest("dd"),
    ]
    assert lines(check(manifests, book("aa", "bb", "cc"), "prod")) == [
        "mesh.toml:env: neither it nor a manifest has the environment 'prod'.",
        "dd/service.toml:name: 'dd' has no address. Add [services.dd] to mesh.toml.",
        "aa/service.toml:services.B1.service: there is no service 'ccx'. Did you mean 'cc'?",
        (
            "aa/service.toml:services.B3.entrypoint: 'Batch' is no entrypoint that has an address. "
            "Use 'Default' or 'Admin'."
        ),
        "cc/service.toml:mesh.leaf: 'cc' is declared a leaf, and binds to services: B0. Drop one or the other.",
        "bb/service.toml:services: bind in a circle: aa -> bb -> aa. Remove one of these bindings.",
    ]


@pytest.mark.usefixtures("home")
def test_longer_circle() -> None:
    """A circle is named as a path that ends where it began."""
    manifests = [manifest("a", "b"), manifest("b", "c"), manifest("c", "d"), manifest("d", "b")]
    assert lines(check(manifests, book("a", "b", "c", "d"), None))[0] == (
        "d/service.toml:services: bind in a circle: b -> c -> d -> b. Remove one of these bindings."
    )


@pytest.mark.usefixtures("home")
def test_two_circles() -> None:
    """Two circles are two problems, also where they share a service."""
    manifests = [manifest("a", "b", "c"), manifest("b", "a"), manifest("c", "a")]
    assert [line.split(": ")[2] for line in lines(check(manifests, book("a", "b", "c"), None))] == [
        "a -> b -> a. Remove one of these bindings.",
        "a -> c -> a. Remove one of these bindings.",
    ]


@pytest.mark.usefixtures("home")
def test_deep_chain() -> None:
    """A chain of more services than the limit is named once, from its first service."""
    names = ("a", "b", "c", "d", "e")
    manifests = [*(manifest(name, to) for name, to in itertools.pairwise(names)), manifest("e"), manifest("z", "d")]
    assert lines(check(manifests, book(*names, "z"), None)) == [
        "a/service.toml:services: begin a chain of 5 services, where 3 are allowed: a -> b -> c -> d -> e."
    ]


@pytest.mark.usefixtures("home")
def test_chain_at_the_limit_and_past_it() -> None:
    """Three services in a chain are allowed, four are not."""
    manifests = [manifest("a", "b"), manifest("b", "c"), manifest("c", "d"), manifest("d")]
    addresses = book("a", "b", "c", "d")
    assert (len(check(manifests[1:], addresses, None)), len(check(manifests, addresses, None))) == (0, 1)


def test_limit_is_that_of_the_original() -> None:
    """The original has three services in its chain, and advises against more."""
    assert MAX_CHAIN == 3


@pytest.mark.usefixtures("home")
def test_same_name_twice() -> None:
    """Two manifests can't say the same name."""
    manifests = [manifest("a"), dataclasses.replace(manifest("a"), path=Path("b/service.toml"))]
    assert lines(check(manifests, book("a", "b"), None)) == [
        "b/service.toml:name: 'a' is the name in a/service.toml too. Rename one of the two."
    ]


@pytest.mark.usefixtures("home")
def test_another_name_in_the_book() -> None:
    """A manifest and its address must go by one name."""
    renamed = dataclasses.replace(manifest("a"), name="other")
    assert lines(check([renamed], book("a"), None)) == [
        "mesh.toml:services.a: is the address of 'a', but its manifest says 'other'. Use one name in both."
    ]


@pytest.mark.usefixtures("home")
def test_manifest_that_could_not_be_read() -> None:
    """A service that the address book knows is no unknown service, even while its manifest is broken."""
    assert check([manifest("a", "b")], book("a", "b"), None) == []


@pytest.mark.usefixtures("home")
def test_environment_of_one_manifest() -> None:
    """An environment that one manifest has is there for all."""
    manifests = [manifest("a"), manifest("b", more="[env.production]")]
    assert check(manifests, book("a", "b"), "production") == []


@pytest.mark.usefixtures("home")
def test_environment_of_the_book() -> None:
    """An environment may have addresses of its own and nothing else."""
    assert check([manifest("a")], book("a", more="[env.staging]"), "staging") == []


@pytest.mark.usefixtures("home")
def test_misspelt_environment() -> None:
    """An environment that nobody has is named with the nearest that somebody has."""
    assert lines(check([manifest("a", more="[env.production]")], book("a"), "prodution")) == [
        "mesh.toml:env: neither it nor a manifest has the environment 'prodution'. Did you mean 'production'?"
    ]


BOUND = """
[[secrets_store_secrets]]
binding = "KEY"
secret_name = "API_KEY"
[[kv_namespaces]]
binding = "CACHE"
id = "hot-cache"
[[r2_buckets]]
binding = "COLD"
bucket_name = "cold-cache"
[vars]
URL = ""
"""


def stand_in(secret: str, var: str) -> str:
    """A stand-in that sets one var."""
    return f'[stand_ins.{secret}]\nmodule = "m"\naddress = "h:1"\nsecret = "s"\nvars = {{ {var} = "u" }}'


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (stand_in("API_KEI", "URL"), "stand_ins.API_KEI: waits for a secret that no manifest has. Did you mean 'API_"),
        (stand_in("API_KEY", "URI"), "stand_ins.API_KEY.vars.URI: no manifest has this var. Did you mean 'URL'?"),
        ('kv.hot-cach = "embedded"', "kv.hot-cach: no manifest has this name. Did you mean 'hot-cache'?"),
        ('buckets.cold-cach = "directory:x"', "buckets.cold-cach: no manifest has this name. Did you mean 'cold-ca"),
    ],
)
def test_slip_of_the_pen(more: str, expected: str) -> None:
    """What the address book says of something that no manifest has, but nearly, is told."""
    (line,) = lines(check([manifest("a", more=BOUND)], book(more=f"{more}\n{service_a()}"), None))
    assert line.startswith(f"mesh.toml:{expected}")


def service_a() -> str:
    """The entry of a service `a`, to stand behind other text."""
    Path("a").mkdir()
    Path("a/service.toml").touch()
    return '[services.a]\nmanifest = "a/service.toml"\ndefault = "127.0.0.1:0"\n'


@pytest.mark.usefixtures("home")
def test_secret_of_a_manifest_that_could_not_be_read() -> None:
    """What a broken manifest may have is not called unknown."""
    assert check([], book(more=stand_in("API_KEY", "URL") + "\n" + service_a()), None) == []


@pytest.mark.usefixtures("home")
def test_stores_of_another_environment() -> None:
    """A store that no manifest has and that resembles none may be another environment's."""
    text = 'kv.production = "redis://h/0"\nkv.hot-cache = "embedded"\n'
    assert check([manifest("a", more=BOUND)], book(more=text + service_a()), None) == []


@pytest.mark.usefixtures("home")
def test_store_with_a_name_like_default() -> None:
    """The word for all other stores is no misspelt id."""
    assert check([manifest("a", more=BOUND.replace("hot-cache", "defaults"))], book("a"), None) == []


def test_start_order() -> None:
    """Leaves start first, and each service after all that it binds to."""
    manifests = [manifest("a", "b", "c"), manifest("b", "c"), manifest("c"), manifest("d", "elsewhere")]
    assert start_order(manifests) == ("c", "b", "a", "d")


def test_no_start_order_in_a_circle() -> None:
    """Services that bind in a circle have no order to start in."""
    with pytest.raises(ConfigurationError, match=r"bind in a circle: a -> b -> a\."):
        start_order([manifest("a", "b"), manifest("b", "a")])


@pytest.mark.parametrize("env", [None, "production"])
def test_the_seed_holds_together(env: str | None, home: Path) -> None:
    """The three manifests of the original, as they stand, hold together."""
    manifests = [read_manifest(SEED / f"{name}.toml", env) for name in ("books-api-proxy", "isbndb-biography-worker")]
    manifests.append(read_manifest(SEED / "personal-library-cache-warmer.toml", env))
    text = "".join(
        f'[services.{found.name}]\nmanifest = "{found.path}"\ndefault = "127.0.0.1:0"\n' for found in manifests
    )
    addresses = parse_address_book(f"{text}[env.production]".encode(), home / "mesh.toml", env)
    assert check(manifests, addresses, env) == []


@pytest.mark.parametrize(
    ("env", "order"),
    [
        (None, ("isbndb-biography-worker", "books-api-proxy", "personal-library-cache-warmer")),
        ("production", ("isbndb-biography-worker-production", "books-api-proxy", "personal-library-cache-warmer")),
    ],
)
def test_this_house_holds_together(env: str | None, order: tuple[str, ...]) -> None:
    """The project's own manifests and address book are whole in each environment, and start from the leaf."""
    addresses = read_address_book(ROOT / "mesh.toml", env)
    problems: list[Problem] = []
    found = [load_manifest(service.manifest, env, problems) for service in addresses.services.values()]
    manifests = [manifest for manifest in found if manifest is not None]
    assert (problems, check(manifests, addresses, env), start_order(manifests)) == ([], [], order)
