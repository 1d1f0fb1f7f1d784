"""`make run` as a new user meets it: the demonstration, twice."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import ROOT, Deployment, alive, children, eventually
from tests.ports import free_ports


def test_the_demonstration_twice(deployment: Deployment) -> None:
    """The first run warms every search of the sample library; the second finds all fresh and calls no provider."""
    first = deployment.run("demo", ONCE="1", timeout=110)
    assert first.returncode == 0, first.stdout + first.stderr
    second = deployment.run("demo", ONCE="1", timeout=110)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "a sandbox" in first.stdout
    hits = re.findall(r"answered from the cache: (\d+) of (\d+) before, (\d+) of (\d+) after", first.stdout)[0]
    assert (hits[0], hits[2] == hits[3], int(hits[3]) > 250) == ("0", True, True)
    assert "everything is fresh: no provider was called" in second.stdout
    assert " 0 provider calls" in second.stdout
    assert "·" in first.stdout


def test_live_without_any_key(deployment: Deployment, tmp_path: Path) -> None:
    """With LIVE=1 and no key Open Library answers: the demonstration says whom it asks, warms all and finds it again.

    A sandbox of the test's own is where the real providers would be.
    """
    library = tmp_path / "small.csv"
    library.write_text("Title,Author,ISBN\nPride and prejudice,Jane Austen,9780821916216\nPersuasion,Jane Austen,\n")
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--google-keyless-per-day", "0"]
    sandbox = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert sandbox.stdout is not None
        assert "Open Library" in sandbox.stdout.readline()
        urls = {
            "OPEN_LIBRARY_URL": f"http://127.0.0.1:{port}",
            "GOOGLE_BOOKS_URL": f"http://127.0.0.1:{port}/books/v1",
            "OPEN_LIBRARY_CONTACT": "me@books.test",
        }
        ended = deployment.run("demo", str(library), ONCE="1", LIVE="1", timeout=100, **urls)
    finally:
        sandbox.terminate()
        sandbox.communicate(timeout=10)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"ISBNdb: not asked.*Google Books: .*without a key.*Open Library: ", ended.stdout, re.DOTALL)
    assert "stand_in" not in ended.stderr
    assert "0 failed, 0 parked" in ended.stdout
    assert re.search(r"searches answered from the cache: 0 of (\d+) before, \1 of \1 after", ended.stdout)


def test_ctrl_c_leaves_nothing_behind(deployment: Deployment) -> None:
    """Ctrl-C ends the demonstration with status 0, and every process that it started."""
    command = [sys.executable, "-m", "clients.cli", "demo"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=deployment.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert eventually(lambda: len(children(process.pid)) >= 2, 30)
        started = children(process.pid)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert eventually(lambda: not any(alive(pid) for pid in started), 5)
