"""Company: whether people call, and until when batch work rests for them, known to all who share a machine's cores.

A process that works for a batch may never see a call of a person, and keeps the cores from those that do. So the
processes that one supervisor runs share a page of memory, where each notes that a person called it, and where whoever
does batch work while people call notes when the next may: then they do it one after the other, as one process would.
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


class Page(ctypes.Structure):
    """What is shared. Each number is as wide as a word, so nobody reads half of one."""

    _fields_ = (("met", ctypes.c_double), ("rests_until", ctypes.c_double))
    met: float
    """When a person last called."""
    rests_until: float
    """Until when nobody does batch work."""


class Company:
    """Whether people call, and until when batch work rests for them.

    Args:
        clock: seconds, never going back; the same for all who share the memory.
        page: the memory; this one's own when not given.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, page: Page | None = None) -> None:
        self._clock = clock
        self._page = Page(-math.inf, -math.inf) if page is None else page

    def meet(self) -> None:
        """Notes that a person calls, just now."""
        self._page.met = self._clock()

    @property
    def is_there(self) -> bool:
        """Whether people call."""
        return self._clock() - self._page.met < LASTS_S

    @property
    def rests_until(self) -> float:
        """Until when nobody who shares the memory does batch work, by the clock."""
        return self._page.rests_until

    def rest_until(self, when: float) -> None:
        """Has batch work rest. Two may do so at once, and then one of them is not heard: no harm is in that."""
        self._page.rests_until = when


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
    return Company(page=Page.from_buffer(memory))
