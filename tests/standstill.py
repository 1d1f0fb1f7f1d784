"""A process that stands still, for as long as a block lasts."""

import contextlib
import os
import signal
from collections.abc import Iterator


def freeze(pid: int) -> None:
    """Stops a process where it is, and returns once all its threads stand.

    The signal alone does not say so: it is only sent then, and a server with many threads may answer a while yet.
    Nobody but a parent is told; a process that is another's child is trusted to stand soon.

    Args:
        pid: the process.

    Raises:
        ProcessLookupError: there is none.
    """
    os.kill(pid, signal.SIGSTOP)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WUNTRACED)


def thaw(pid: int) -> None:
    """Lets it go on."""
    os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def standstill(*pids: int) -> Iterator[None]:
    """Processes stand still; their connections stay open, and new ones come about, for the system makes them."""
    try:
        for pid in pids:
            freeze(pid)
        yield
    finally:
        for pid in pids:
            thaw(pid)
