"""The sandbox as a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _start(*arguments: str) -> subprocess.Popen[str]:
    """Starts the sandbox with a small life of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a sandbox that is to end by itself."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)


def _line(process: subprocess.Popen[str]) -> str:
    """The line that it prints when it listens."""
    assert process.stdout is not None
    return process.stdout.readline()


def _get(address: str, path: str) -> dict[str, object]:
    """The JSON of one GET."""
    request = urllib.request.Request(f"{address}{path}", headers={"Authorization": "canary-7"})  # noqa: S310 -- loopback
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 -- loopback
        body: dict[str, object] = json.load(response)
    return body


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A sandbox on a free port, ended whatever the test did."""
    started = _start("--port", "0", "--plan", "enterprise", "--key", "canary-7")
    yield started
    started.kill()
    started.communicate()


def test_it_says_once_that_it_listens_and_serves_the_catalogue(process: subprocess.Popen[str]) -> None:
    """One line names addresses, plan and size, and the books are there; no key is told."""
    line = _line(process)
    said = re.fullmatch(
        r"sandbox: ISBNdb v2 on (http://127\.0\.0\.1:\d+), plan enterprise, \d{4} books, key as given; "
        r"Google Books v1 on \1/books/v1, any key, 1000 calls a day without one; "
        r"Open Library on \1, 3 calls a second\n",
        line,
    )
    assert said is not None, line
    assert _get(said[1], "/author/william%20shakespeare?pageSize=1")["author"] == "William Shakespeare"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_it(process: subprocess.Popen[str], number: int) -> None:
    """It ends with 0, quickly, although a call hangs, and says nothing more."""
    address = _line(process).split(" ")[4].rstrip(",")
    body = json.dumps({"kind": "hang"}).encode()
    urllib.request.urlopen(  # noqa: S310 -- loopback
        urllib.request.Request(f"{address}/_sandbox/faults", data=body, method="PUT"),  # noqa: S310 -- loopback
        timeout=10,
    ).close()
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as hanging:
        hanging.sendall(b"GET /stats HTTP/1.1\r\nHost: x\r\nAuthorization: canary-7\r\n\r\n")
        while _get(address, "/_sandbox/calls")["running"] != 1:
            time.sleep(0.01)
        process.send_signal(number)
        assert (process.wait(timeout=10), *process.communicate()) == (0, "", "")


def test_a_taken_port_is_one_sentence_and_status_1() -> None:
    """Nothing is shared silently."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _run("--port", str(port))
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        1,
        "",
        f"sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--catalog", "absent.csv"], "sandbox: catalogue absent.csv cannot be read: No such file or directory\n"),
        (["--catalog", "pyproject.toml"], "sandbox: catalogue pyproject.toml: no column for title and authors"),
        (["--port", "70000"], "sandbox: argument --port: '70000' is no port (0 to 65535)\n"),
        (["--plan", "golden"], "sandbox: argument --plan: invalid choice: 'golden'"),
        (
            ["--google-keyless-per-day", "few"],
            "sandbox: argument --google-keyless-per-day: 'few' is no whole number from 0",
        ),
        (["--latency-ms", "-5"], "sandbox: argument --latency-ms: '-5' is no whole number from 0\n"),
    ],
)
def test_bad_arguments_are_one_sentence_and_status_64(arguments: list[str], said: str) -> None:
    """No port is bound, no trace is shown."""
    ended = _run(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n"), said in ended.stderr) == (64, "", 1, True)


def test_it_ends_with_its_parent_when_asked() -> None:
    """A parent that is killed leaves no sandbox behind: the pipe that both hold is closed."""
    program = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-m', 'sandbox', '--port', '0', '--die-with-parent']).wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    _line(parent)
    parent.kill()
    assert parent.communicate(timeout=10)[0] == ""
