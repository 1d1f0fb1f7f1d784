"""Offers a load to the memory tier in a process of its own, and sees what the tier says of itself and what is true."""

import gc
import multiprocessing
import resource
import tempfile
import time
import tracemalloc
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.memory_tier.best import BYTES_OBJECT
from bench.memory_tier.load import Load, name
from services.books.memory import Memory

_AT_ONCE = 1_000
"""Requests between two looks at the process; few, for they take room too."""

_PAGE = resource.getpagesize()
_FOR_GOOD_S = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a load."""

    hit_ratio: float
    """The share of the counted requests whose value was at hand."""
    value_count: int
    """Values that were kept in the end."""
    byte_count: int
    """The most bytes that the tier took by its own account."""
    grown_by: int
    """The most bytes that the process grew by: of its resident set, or of what tracemalloc traced."""
    request_us: float
    """CPU microseconds of a request, with the offer of what was not at hand."""


def offered(
    load: Load, requests: Sequence[int], limit_bytes: int, *, counted_from: int, traced: bool = False
) -> Outcome:
    """Asks a tier for each key in turn, and offers it what was not at hand.

    In a process of its own that makes nothing else, so that no memory which others gave back hides its growth.

    Args:
        load: what the keys' values are.
        requests: the keys.
        limit_bytes: the tier's bytes.
        counted_from: the first request that counts for the hit ratio.
        traced: measure by tracemalloc, which is exact and slow, and not by the resident set.
    """
    with tempfile.NamedTemporaryFile(prefix="bookmesh-") as file:
        array("I", requests).tofile(file)
        file.flush()
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            return process.submit(_offer, load, Path(file.name), limit_bytes, counted_from, traced=traced).result()


def _offer(load: Load, file: Path, limit_bytes: int, counted_from: int, *, traced: bool) -> Outcome:
    now = 0.0
    content = bytes(load.size(0)) * 64
    if traced:
        tracemalloc.start()
    gc.collect()
    before = _taken(traced=traced)
    memory: Memory[bytes] = Memory(limit_bytes, clock=lambda: now)
    most = grown_by = done = hits_before = 0
    began = time.process_time()
    for keys in _read(file):
        for key in keys:
            if done == counted_from:
                hits_before = memory.hits
            done += 1
            text = name(key)
            if memory.get(text) is None:
                size = load.size(key)
                memory.put(text, content[:size], byte_count=BYTES_OBJECT + size, ttl_s=_FOR_GOOD_S)
        most = max(most, memory.byte_count)
        grown_by = max(grown_by, _taken(traced=traced) - before)
    return Outcome(
        hit_ratio=(memory.hits - hits_before) / (done - counted_from),
        value_count=len(memory),
        byte_count=most,
        grown_by=grown_by,
        request_us=(time.process_time() - began) / done * 1e6,
    )


def _read(file: Path) -> Iterator[Sequence[int]]:
    with file.open("rb") as opened:
        while data := opened.read(_AT_ONCE * array("I").itemsize):
            yield array("I", data)


def _taken(*, traced: bool) -> int:
    """Bytes that this process takes (proc(5), statm)."""
    if traced:
        return tracemalloc.get_traced_memory()[0]
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
