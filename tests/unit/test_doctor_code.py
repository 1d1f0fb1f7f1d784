"""The doctor on generated code and installed versions, over code that is really broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.doctor.code import generated_code, imports, installed_version, modules_below, pinned
from mesh.doctor.first_aid import first_aid

ROOT = Path(__file__).parents[2]


def generated(folder: Path, protobuf: str = "7.35.1", grpcio: str = "1.85.1") -> Path:
    """A folder with two generated modules of these versions."""
    (folder / "x_pb2.py").write_text(f"# source: x.proto\n# Protobuf Python Version: {protobuf}\n")
    (folder / "x_pb2_grpc.py").write_text(f"import grpc\n\nGRPC_GENERATED_VERSION = '{grpcio}'\n")
    return folder


@pytest.mark.parametrize(
    ("protobuf", "grpcio", "expected"),
    [
        ("7.35.1", "1.85.1", []),
        ("6.31.0", "1.60.0", ["warning: 6.31.0, and 7.35.1 is installed, whose next major version refuses it."]),
        ("5.29.0", "1.85.1", ["error: 5.29.0, and 7.35.1 is installed, which is too new and refuses it."]),
        ("7.36.0", "1.85.1", ["error: 7.36.0, and 7.35.1 is installed, which is older and refuses it."]),
        ("7.35.1", "1.86.0", ["error: 1.86.0, and 1.85.1 is installed, which is older and refuses it."]),
    ],
)
def test_generated_versions(tmp_path: Path, protobuf: str, grpcio: str, expected: list[str]) -> None:
    """Code that an installed runtime refuses is an error; code that the next one will refuse is a warning."""
    found = generated_code([generated(tmp_path, protobuf, grpcio)], protobuf="7.35.1", grpcio="1.85.1")
    assert [f"{each.severity.value}: {each.what.split(' for ')[1].split(' ', 1)[1]}" for each in found] == expected


def test_generated_without_a_version(tmp_path: Path) -> None:
    """A generated module that does not say its version is a warning."""
    (tmp_path / "x_pb2.py").write_text("")
    (found,) = generated_code([tmp_path], protobuf="7.35.1", grpcio="1.85.1")
    assert (found.severity.value, "does not say which protobuf" in found.what) == ("warning", True)


def test_same_fault_of_many_files_is_one_finding(tmp_path: Path) -> None:
    """Files with the same fault are one line."""
    for name in "abc":
        (tmp_path / name).mkdir()
        generated(tmp_path / name, "9.0.0")
    (found,) = generated_code([tmp_path], protobuf="7.35.1", grpcio="1.85.1")
    assert "a/x_pb2.py and 2 more was" in found.what


def test_module_that_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated module that breaks when it is imported is an error with what it says."""
    package = tmp_path / "doctored"
    (package / "v1").mkdir(parents=True)
    (package / "v1" / "x_pb2.py").write_text("raise RuntimeError('runtime too old')")
    (package / "v1" / "y_pb2_grpc.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = imports(modules_below(package, "doctored"))
    assert found.what == "doctored.v1.x_pb2 can't be imported: RuntimeError: runtime too old"


def test_pinned() -> None:
    """A package that is missing or of another version, and another Python, are errors; what only tests need is not."""
    installed = {"grpcio": "1.84.0", "redis": "8.1.0"}
    requirements = ["grpcio==1.85.1", "redis[hiredis]>=8.1", "orjson>=3", 'pytest>=9; extra == "dev"']
    found = pinned(requirements, ">=3.11", installed.get, "3.10.2")
    assert [each.what for each in found] == [
        "this is Python 3.10.2, and the project needs >=3.11.",
        "grpcio 1.84.0 is installed, and the project needs ==1.85.1.",
        "orjson is not installed, and the project needs >=3.",
    ]


def test_installed_version() -> None:
    """Versions are those of the packages that are there."""
    assert (installed_version("no-such-package"), bool(installed_version("grpcio"))) == (None, True)


def test_this_house_is_well() -> None:
    """The project's own generated code and what is installed here go together."""
    assert [each for each in first_aid() if each.check == "generated"] == []


def test_command_whose_generated_code_is_broken(tmp_path: Path) -> None:
    """Where generated code refuses what is installed, no command can run, and each says why instead of a stack."""
    gen = shutil.copytree(ROOT / "gen", tmp_path / "gen", ignore=shutil.ignore_patterns("__pycache__"))
    module = gen / "bookmesh/mesh/v1/admin_pb2.py"
    module.write_text(module.read_text().replace("    7,\n", "    9,\n").replace("Version: 7.", "Version: 9."))
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{gen}"}
    for command in ("doctor", "check"):
        ended = subprocess.run(
            [sys.executable, "-m", "clients.start", command],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = ended.stdout if command == "doctor" else ended.stderr
        lines = [line for line in said.splitlines() if line.startswith("error    generated")]
        assert (ended.returncode, "admin_pb2.py was generated for protobuf 9." in lines[0]) == (1, True), said
        assert "Traceback" not in ended.stdout + ended.stderr
