"""Starts that can't be: each one clear sentence, and a status."""

import socket

from tests.e2e.conftest import Deployment


def test_taken_port(deployment: Deployment) -> None:
    """A port that is taken is one sentence and status 1, and nothing keeps running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", deployment.ports["7420"]))
        taken.listen()
        ended = deployment.run("up")
    said = [line for line in ended.stderr.splitlines() if "can't listen" in line]
    assert (ended.returncode, len(said), deployment.address("7420") in said[0]) == (1, 1, True)


def test_wrong_configuration(deployment: Deployment) -> None:
    """Every problem of the configuration is told in one message, with status 64."""
    text = deployment.book.read_text()
    text = text.replace('admin = "127.0.0.1', 'amdin = "127.0.0.1', 1).replace('module = "sandbox"', 'module = ""', 1)
    deployment.book.write_text(text)
    ended = deployment.run("up")
    lines = ended.stderr.splitlines()
    assert (ended.returncode, len(lines) >= 2, any("amdin" in line for line in lines)) == (64, True, True)


def test_second_start_on_the_same_data(deployment: Deployment) -> None:
    """A second start on the data of a running one is one sentence and a status, not a broken store."""
    with deployment.up():
        ended = deployment.run("up")
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)


def test_call_without_a_deployment(deployment: Deployment) -> None:
    """A call to services that do not run is UNAVAILABLE with its reason, on stderr, with status 1."""
    ended = deployment.run("search", "dune")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("UNAVAILABLE SERVICE_UNREACHABLE: ")


def test_bad_usage(deployment: Deployment) -> None:
    """An unknown option is status 2."""
    assert deployment.run("search", "--nope").returncode == 2


def test_production_without_its_secret(deployment: Deployment) -> None:
    """In production no sandbox stands in: the leaf says what is missing when it is called, and check says it before."""
    ended = deployment.run("check", "--env", "production")
    assert "sandbox" not in ended.stdout
