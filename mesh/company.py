"""Company: whether people call, known to all who share a machine's cores.

A process that works for a batch may never see a call of a person, and keeps the cores from those that do. So the
processes that one supervisor runs share a page of memory, where each notes that a person called it.
"""

import contextlib
import ctypes
import math
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping

VARIABLE = "BOOKMESH_COMPANY"
"""Where a process finds the file descriptor of the memory that it shares with others."""

LASTS_S = 0.25
"""Seconds after a person's call during which another is expected."""


class Company:
    """When a person last called.

    Args:
        clock: seconds, never going back; the same for all who share the memory.
        met: the memory, of one number; this one's own when not given.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, met: ctypes.c_double | None = None) -> None:
        self._clock = clock
        # The number is as wide as a word, so nobody reads half of one.
        self._met = ctypes.c_double(-math.inf) if met is None else met

    def meet(self) -> None:
        """Notes that a person calls, just now."""
        self._met.value = self._clock()

    @property
    def is_there(self) -> bool:
        """Whether people call."""
        return self._clock() - self._met.value < LASTS_S


@contextlib.contextmanager
def shared() -> Iterator[int]:
    """Memory for the processes that are started until the block ends; its file descriptor, which each must inherit."""
    with contextlib.ExitStack() as opened:
        if hasattr(os, "memfd_create"):
            number = os.memfd_create("bookmesh-company")
            opened.callback(os.close, number)
        else:
            number = opened.enter_context(tempfile.TemporaryFile()).fileno()
        os.ftruncate(number, mmap.PAGESIZE)
        yield number


def joined(environ: Mapping[str, str]) -> Company:
    """The company that this process was started into; its own where it was started alone.

    Args:
        environ: the process's environment.
    """
    number = environ.get(VARIABLE, "")
    if not number.isdecimal():
        return Company()
    try:
        memory = mmap.mmap(int(number), mmap.PAGESIZE)
    except (OSError, ValueError):
        # Whoever passed the variable on did not pass on what it speaks of.
        return Company()
    return Company(met=ctypes.c_double.from_buffer(memory))
