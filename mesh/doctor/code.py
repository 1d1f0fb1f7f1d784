"""Generated code and installed packages against each other: the only place that knows which versions go together."""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mesh.doctor.finding import Finding, error, warning

_PROTOBUF = re.compile(r"^# Protobuf Python Version: (\S+)$", re.MULTILINE)

_GRPC = re.compile(r"^GRPC_GENERATED_VERSION = '([^']+)'$", re.MULTILINE)

_REGENERATE = "Install what the lock says with `make`, or generate anew with `make proto`."

_TEXT_LIMIT = 200
"""Characters of a foreign error's text that are worth a line."""


def generated_code(roots: Iterable[Path], *, protobuf: str, grpcio: str) -> Iterator[Finding]:
    """Generated modules that the installed runtimes do not fit.

    Args:
        roots: directories with generated modules below them.
        protobuf: the version of protobuf that is installed.
        grpcio: the version of grpcio that is installed.
    """
    made: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(path for root in roots for path in root.rglob("*_pb2*.py")):
        name, pattern = ("grpcio", _GRPC) if path.stem.endswith("_grpc") else ("protobuf", _PROTOBUF)
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        made.setdefault((name, found[1] if found else ""), []).append(path)
    for (name, version), paths in made.items():
        where = f"{paths[0]}{_more(paths)}"
        installed = grpcio if name == "grpcio" else protobuf
        if not version:
            yield warning("generated", f"{where} does not say which {name} it was generated for.", _REGENERATE)
        elif (fault := _FAULTS[name](Version(version), Version(installed))) is not None:
            make, word = fault
            yield make("generated", f"{where} was generated for {name} {version}, and {installed} {word}.", _REGENERATE)


def imports(names: Iterable[str]) -> Iterator[Finding]:
    """Modules that can't be imported, gathered by what they say."""
    failed: dict[str, list[str]] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as failure:  # noqa: BLE001 - generated code may fail in any way, and each is a finding
            text = f"{type(failure).__name__}: {failure}"[:_TEXT_LIMIT]
            failed.setdefault(text, []).append(name)
    for text, found in failed.items():
        yield error("generated", f"{found[0]}{_more(found)} can't be imported: {text}", _REGENERATE)


def modules_below(root: Path, package: str) -> Iterator[str]:
    """The names of the generated modules below the directory of a package."""
    for path in sorted(root.rglob("*_pb2*.py")):
        yield ".".join((package, *path.relative_to(root).with_suffix("").parts))


def pinned(
    requirements: Iterable[str], requires_python: str, installed: Callable[[str], str | None], python: str
) -> Iterator[Finding]:
    """Packages, and Python itself, outside of what the project is made for.

    Args:
        requirements: what the project requires, as its metadata has it (PEP 508).
        requires_python: the versions of Python that it is made for (PEP 440); empty for any.
        installed: the version of a package; None when it is not there.
        python: the version of Python that runs.
    """
    mend = "Install what the lock says: `make`."
    if not SpecifierSet(requires_python).contains(python, prereleases=True):
        yield error("version", f"this is Python {python}, and the project needs {requires_python}.", mend)
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        version = installed(wanted.name)
        if version is None:
            yield error("version", f"{wanted.name} is not installed, and the project needs {wanted.specifier}.", mend)
        elif not wanted.specifier.contains(version, prereleases=True):
            what = f"{wanted.name} {version} is installed, and the project needs {wanted.specifier}."
            yield error("version", what, mend)


def installed_version(name: str) -> str | None:
    """The version of a package that is installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _more(found: Sequence[object]) -> str:
    return f" and {len(found) - 1} more" if len(found) > 1 else ""


_Fault = tuple[Callable[[str, str, str], Finding], str]


def _protobuf_fault(made: Version, installed: Version) -> _Fault | None:
    """Protobuf's own rule: no older runtime than the code, and at most one major version newer.

    Source: https://protobuf.dev/support/cross-version-runtime-guarantee/
    """
    if installed < made:
        return error, "is installed, which is older and refuses it"
    if installed.major > made.major + 1:
        return error, "is installed, which is too new and refuses it"
    return (warning, "is installed, whose next major version refuses it") if installed.major > made.major else None


def _grpc_fault(made: Version, installed: Version) -> _Fault | None:
    """The generated code itself refuses an older runtime."""
    return (error, "is installed, which is older and refuses it") if installed < made else None


_FAULTS: Mapping[str, Callable[[Version, Version], _Fault | None]] = {
    "protobuf": _protobuf_fault,
    "grpcio": _grpc_fault,
}
