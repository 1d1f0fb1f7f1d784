"""`make run` as a new user meets it: the demonstration, twice."""

import re
import signal
import subprocess
import sys

from tests.e2e.conftest import ROOT, Deployment, alive, children, eventually


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
