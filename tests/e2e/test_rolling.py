"""A rolling restart under load, with real processes: the short form of `make rolling`."""

import json
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT


@pytest.mark.timeout(180)  # five processes are started, and four of them again, one after the other
def test_no_call_is_lost() -> None:
    """While both replicas of books and of the leaf are restarted in turn, no call fails."""
    command = [sys.executable, "-m", "bench.rolling", "--rounds", "1", "--calls", "500", "--pace", "50", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    report = json.loads(ended.stdout or "{}")
    assert (ended.returncode, report.get("restarts"), report.get("failures")) == (0, 4, {}), ended.stderr
    assert report["calls"] >= 500
