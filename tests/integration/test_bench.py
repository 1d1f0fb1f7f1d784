"""The benchmark's rivals answer the same, so that their times can be compared. No time is judged here."""

import json
import subprocess
import sys
from pathlib import Path

from bench.contest import prove, rivals

NAMES = ["in_process", "task", "unix", "tcp", "fastapi", "aiohttp"]


async def test_every_rival_answers_the_same() -> None:
    """Each rival gives the very message that is expected, for an empty call and for forty results."""
    async with rivals() as contending:
        names = [rival.name for rival in contending]
        for rival in contending:
            await prove(rival)
    assert names == NAMES


def test_json_is_all_there_is_on_stdout() -> None:
    """With --json a tiny round prints JSON that tells of every rival, and nothing else."""
    command = [sys.executable, "-m", "bench", "--json", "--rounds", "1", "--calls", "16"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100, check=True)
    assert all(name in json.dumps(json.loads(ended.stdout)) for name in NAMES)


def test_overhead_compares_both_servers_in_every_way() -> None:
    """With --json a tiny round compares the two servers on each transport, for each caller and each answer."""
    command = [sys.executable, "-m", "bench.overhead", "--json", "--sittings", "1", "--rounds", "1", "--calls", "16"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100, check=True)
    told = json.loads(ended.stdout)
    assert len({(each["transport"], each["caller"], each["question"]) for each in told}) == 8
    assert all(each["bare_us"] > 0 and each["mesh_us"] > 0 and each["ratio"] > 0 for each in told)
