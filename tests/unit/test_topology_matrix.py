"""The binding matrix lists every binding of every service, as text and as JSON."""

from pathlib import Path
from textwrap import dedent

from mesh.config.manifest import Manifest, parse_manifest, read_manifest
from mesh.config.topology import Row, as_json, matrix, render_matrix

SEED = Path(__file__).parents[1] / "fixtures" / "seed"


def lone() -> Manifest:
    """A service without bindings."""
    return parse_manifest(b'name = "lone"\nmain = "m"', Path("service.toml"))


def test_rows_of_the_seed() -> None:
    """The original's own matrix: the warmer binds to the proxy and to the leaf."""
    rows = matrix([read_manifest(SEED / "personal-library-cache-warmer.toml")])
    assert [(row.service, row.target, row.binding) for row in rows if row.kind == "service"] == [
        ("personal-library-cache-warmer", "books-api-proxy", "BOOKS_API_PROXY"),
        ("personal-library-cache-warmer", "isbndb-biography-worker-production", "ISBNDB_WORKER"),
    ]


def test_kinds() -> None:
    """Stores and secrets are bindings too, by the names that the address book and the secret sources know."""
    rows = matrix([read_manifest(SEED / "personal-library-cache-warmer.toml")])
    assert [(row.kind, row.binding, row.target) for row in rows if row.kind != "service"] == [
        ("kv", "WARMING_CACHE", "69949ba5a5b44214b7a2e40c1b687c35"),
        ("bucket", "LIBRARY_DATA", "personal-library-data"),
        ("secret", "ISBNDB_API_KEY", "ISBNDB_API_KEY"),
    ]


def test_service_without_bindings() -> None:
    """A service that binds to nothing has a row that says so."""
    assert matrix([lone()]) == (Row(service="lone", binding="", kind="none"),)


def test_table() -> None:
    """The text has a head, and columns as wide as their widest cell."""
    bound = parse_manifest(
        b'name = "a"\nmain = "m"\nservices = [{ binding = "TO_LONE", service = "lone", entrypoint = "Admin" }]',
        Path("service.toml"),
    )
    assert render_matrix(matrix([bound, lone()])) == dedent(
        """\
        SERVICE  BINDING  KIND     TARGET  ENTRYPOINT
        a        TO_LONE  service  lone    Admin
        lone     (none)   none"""
    )


def test_empty_table() -> None:
    """Without services the table is its head."""
    assert render_matrix(()) == "SERVICE  BINDING  KIND  TARGET  ENTRYPOINT"


def test_json() -> None:
    """As JSON each row is an object with the same words."""
    assert as_json(matrix([lone()])) == [
        {"service": "lone", "binding": "", "kind": "none", "target": "", "entrypoint": ""}
    ]
