"""The manifests, read as permissions."""

from pathlib import Path

import pytest

from mesh.call import Call, Handler, Reply, Side
from mesh.config.manifest import Manifest, parse_manifest
from mesh.config.permissions import EVERYBODY, Door, doors
from mesh.layers.admission import admission
from mesh.status import MeshError
from tests.unit.test_entrance import METHOD


def manifest(name: str, *targets: str) -> Manifest:
    """A manifest that binds to "SERVICE" or "SERVICE:ENTRYPOINT"."""
    lines = [f'name = "{name}"', 'main = "m"']
    for number, target in enumerate(targets):
        service, _, entrypoint = target.partition(":")
        lines += ["[[services]]", f'binding = "B{number}"', f'service = "{service}"']
        lines += [f'entrypoint = "{entrypoint}"'] if entrypoint else []
    return parse_manifest("\n".join(lines).encode(), Path(f"{name}.toml"))


ALL = [
    manifest("front", "back", "store:Admin"),
    manifest("back", "store"),
    manifest("store"),
    manifest("tool", "back:Admin"),
]


def test_doors() -> None:
    """Each entrypoint lets in those that bind to exactly it, and people where a default entrypoint is public."""
    assert doors(ALL, ["front", "back"]) == {
        ("front", "Default"): Door(frozenset(), public=True),
        ("back", "Default"): Door(frozenset({"front"}), public=True),
        ("back", "Admin"): Door(frozenset({"tool"})),
        ("store", "Default"): Door(frozenset({"back"})),
        ("store", "Admin"): Door(frozenset({"front"})),
    }


async def answer(_: Call) -> Reply:
    """What stands behind the door."""
    return b"in"


async def outcome(door: Door, entrypoint: str, caller: str = "", *, operator: bool = False) -> str:
    """What becomes of a call."""
    call = Call(METHOD, Side.SERVER, caller=caller, operator=operator)
    handler: Handler = admission("store", entrypoint, door)(METHOD, answer)
    try:
        return str(await handler(call))
    except MeshError as error:
        return f"{error.code.name} {error.reason} {error.metadata['caller']}"


BOUND = Door(frozenset({"front"}))


@pytest.mark.parametrize(
    ("door", "entrypoint", "caller", "operator", "expected"),
    [
        (BOUND, "Default", "front", False, "b'in'"),
        (BOUND, "Default", "back", False, "PERMISSION_DENIED NOT_BOUND back"),
        (BOUND, "Default", "", False, "PERMISSION_DENIED NOT_BOUND "),
        (BOUND, "Default", "", True, "b'in'"),
        (BOUND, "Admin", "front", False, "b'in'"),
        (BOUND, "Admin", "", False, "UNAUTHENTICATED NOT_PROVEN "),
        (Door(public=True), "Default", "", False, "b'in'"),
        # A service is not people: what it may call stands in its manifest.
        (Door(public=True), "Default", "front", False, "PERMISSION_DENIED NOT_BOUND front"),
        (Door(), "Default", "", False, "PERMISSION_DENIED NOT_BOUND "),
        (EVERYBODY, "Admin", "anybody", False, "b'in'"),
        (EVERYBODY, "Admin", "", False, "b'in'"),
    ],
)
async def test_who_passes(door: Door, entrypoint: str, caller: str, operator: object, expected: str) -> None:
    """Who is bound passes, operators do, people do where it is public, and nobody else does."""
    assert await outcome(door, entrypoint, caller, operator=bool(operator)) == expected
