"""Gives memory that was freed back to the system: the only place that speaks to the allocator."""

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""What glibc has for that; other libraries of C give back by themselves, or never."""


LARGE = 8 * 1024 * 1024
"""Bytes of a library from which on the memory that it took is worth giving back."""


def give_back() -> None:
    """Gives back what a large library took, for glibc keeps it for the next one, of each thread apart."""
    if _trim is not None:
        _trim(0)
