"""What a large library takes: buffers that grow side by side, in a thread, need no more memory than they hold."""

import subprocess
import sys

_GROWN = """
import pathlib, threading
from services.warmer.library.memory import give_back, keep_large_apart

def held_mb():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

def grow():
    freed = bytearray(30 << 20)
    del freed
    began = held_mb()
    buffers = [bytearray() for _ in range(4)]
    while len(buffers[-1]) < 16 << 20:
        for buffer in buffers:
            buffer += bytes(50_000)
    print(held_mb() - began)
    del buffers, buffer
    give_back()
    print(held_mb() - began)

keep_large_apart()
thread = threading.Thread(target=grow)
thread.start()
thread.join()
"""


def test_buffers_that_grow_side_by_side_leave_no_holes() -> None:
    """Four buffers of 16 MB take some 64 MB while they are held, and next to none once they are freed."""
    ended = subprocess.run([sys.executable, "-c", _GROWN], capture_output=True, text=True, check=True, timeout=60)
    held, left = map(float, ended.stdout.split())
    assert (60 < held < 80, left < 8) == (True, True), ended.stdout
