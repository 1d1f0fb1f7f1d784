"""Has a large library take no more memory than it holds: the only place that speaks to the allocator."""

import ctypes

_libc = ctypes.CDLL(None)
_trim = getattr(_libc, "malloc_trim", None)
_set = getattr(_libc, "mallopt", None)
"""What glibc has for that; other libraries of C give back by themselves, or never."""

_MMAP_THRESHOLD = -3
"""The name of that option, in malloc.h."""

_APART = 256 * 1024
"""Bytes from which on a buffer lies apart from all else."""

LARGE = 8 * 1024 * 1024
"""Bytes of a library from which on the memory that it took is worth giving back."""


def keep_large_apart() -> None:
    """Has large buffers lie apart, for the whole process, where they grow without being copied and leave no hole.

    By itself glibc does so only until one of them was freed: from then on those of its size lie among everything else
    (mallopt(3), M_MMAP_THRESHOLD), and each that outgrows its place leaves it empty.
    """
    if _set is not None:
        _set(_MMAP_THRESHOLD, _APART)


def give_back() -> None:
    """Gives back what a large library took, for glibc keeps it for the next one, of each thread apart."""
    if _trim is not None:
        _trim(0)
