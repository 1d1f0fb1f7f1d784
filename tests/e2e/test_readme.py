"""Every command of the README is run here, and does what the README says; a new one without a way to run it fails."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import ROOT, Deployment, eventually

COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for line in block.splitlines()
    if line.strip() and not line.startswith("#")
]

BY_CI = {"make test", "make check"}
"""Whoever runs these tests runs the first; .ci/run runs both."""

ENDLESS = {"make run", ".venv/bin/bookmesh up", ".venv/bin/bookmesh up --separate"}
"""They stay up until they are told to end."""

STANDING = [command for command in COMMANDS if command not in BY_CI | ENDLESS]


def run(command: str, deployment: Deployment, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    """Runs a line of the README as a person would, in a shell at the project's root, with this test's own ports."""
    line = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: deployment.address(found[1]), command)
    line = line.replace("$(cat .bookmesh/", f"$(cat {deployment.data}/")
    line = line.replace("make bench", 'make bench ARGS="--rounds 1 --calls 20"')
    line = line.replace("make overhead", 'make overhead ARGS="--sittings 1 --rounds 1 --calls 20"')
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env=deployment.environ,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment that the commands can speak to."""
    deployment = Deployment.made(tmp_path_factory.mktemp("readme"))
    with deployment.up():
        yield deployment


@pytest.mark.parametrize("command", [line for line in STANDING if "bookmesh" in line or "grpcurl" in line])
def test_command_against_a_deployment(running: Deployment, command: str) -> None:
    """A command of the README ends with 0 and prints something."""
    ended = run(command, running)
    assert (ended.returncode, bool(ended.stdout)) == (0, True), ended.stderr


@pytest.mark.parametrize("command", [line for line in STANDING if "bookmesh" not in line and "grpcurl" not in line])
def test_command_by_itself(deployment: Deployment, command: str) -> None:
    """A command of the README that needs nothing running ends with 0 and prints something."""
    ended = run(command, deployment)
    assert (ended.returncode, bool(ended.stdout)) == (0, True), ended.stdout + ended.stderr


@pytest.mark.parametrize("command", sorted(ENDLESS))
def test_command_that_stays_up(deployment: Deployment, command: str) -> None:
    """A command that stays up answers meanwhile, and ends with 0 on Ctrl-C."""
    assert command in COMMANDS
    log = deployment.book.with_name("log")
    with log.open("w") as file:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=ROOT,
            env=deployment.environ,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            assert eventually(lambda: deployment.run("health").returncode == 0, 60), log.read_text()
            time.sleep(0.5)
            # Ctrl-C at a terminal goes to every process of the group.
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(40)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
    # make itself reports that it was interrupted; the command below it has ended in order.
    assert status in ({0, 2, 130, -signal.SIGINT} if command.startswith("make") else {0}), log.read_text()


def test_ci_runs_what_the_readme_says() -> None:
    """What these tests leave to CI, CI runs."""
    ci = (ROOT / ".ci/run").read_text()
    assert [command in ci for command in sorted(BY_CI)] == [True, True]


def test_json_is_all_there_is_on_stdout(running: Deployment) -> None:
    """With --json, stdout is one JSON answer and nothing else."""
    ended = running.run("search", "charles dickens", "--json")
    answer = json.loads(ended.stdout)
    assert (ended.returncode, answer["interpretation"]["normalizedText"], len(answer["results"]) > 3) == (
        0,
        "charles dickens",
        True,
    )


def test_check_as_json(deployment: Deployment) -> None:
    """`check --json` tells the bindings and finds no problem in the project's own files."""
    ended = deployment.run("check", "--json")
    report = json.loads(ended.stdout)
    names = {row["binding"] for row in report["bindings"]}
    assert (ended.returncode, report["problems"], {"ISBNDB_WORKER", "BOOKS_API_PROXY", "CACHE"} <= names) == (
        0,
        [],
        True,
    )
