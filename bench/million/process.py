"""What a running process has used so far, as Linux tells it: CPU time and memory."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12
"""Places in /proc/<pid>/stat behind the name, by proc(5)."""


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def peak_mb(pid: int) -> float:
    """The most megabytes (of 10**6 bytes) that it ever had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kib * 1024 / 1e6
