"""What can be examined before anything generated is imported, for that may be what does not work.

So this module, and what it imports, import no generated code and no gRPC.
"""

import importlib.util
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from mesh.doctor import code
from mesh.doctor.finding import Finding, error, ordered

GENERATED = "bookmesh"
"""The package of the generated code."""

DISTRIBUTION = "bookmesh"
"""The project as its installer knows it."""


def first_aid() -> list[Finding]:
    """What is wrong with the code itself, the worst first."""
    return ordered([*generated_code(), *pins()])


def generated_code() -> Iterator[Finding]:
    """Whether the generated code is there, fits what is installed, and can be imported."""
    found = importlib.util.find_spec(GENERATED)
    roots = [] if found is None else [Path(place) for place in found.submodule_search_locations or ()]
    if not roots:
        yield error("generated", f"there is no generated package {GENERATED}.", "Run `make`, or put gen/ on the path.")
    versions = {name: code.installed_version(name) or "0" for name in ("protobuf", "grpcio")}
    yield from code.generated_code(roots, protobuf=versions["protobuf"], grpcio=versions["grpcio"])
    yield from code.imports(name for root in roots for name in code.modules_below(root, GENERATED))


def pins() -> Iterator[Finding]:
    """Whether what is installed is what the project requires."""
    try:
        about = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        yield error("version", f"{DISTRIBUTION} is not installed, so its requirements are unknown.", "Run `make`.")
        return
    requirements = about.get_all("Requires-Dist") or []
    python = about["Requires-Python"] or ""
    yield from code.pinned(requirements, python, code.installed_version, platform.python_version())
