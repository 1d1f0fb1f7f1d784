"""The tier's policy beside others on the same loads; they get their tables and what they remember for nothing."""

from collections.abc import Callable, Mapping, Sequence

from rich import box
from rich.table import Table

from bench.memory_tier.best import BYTES_OBJECT, best_choice, clairvoyant
from bench.memory_tier.load import EQUAL, Load, name
from bench.memory_tier.measuring import asked, counted_from
from bench.memory_tier.offer import offered
from bench.memory_tier.rivals import Lru, Policy, S3Fifo, Sieve, WTinyLfu
from services.books.memory import entry_bytes

BEST, MIN, TIER = "best choice", "MIN", "the tier"
_RIVALS: Mapping[str, Callable[[int], Policy]] = {"LRU": Lru, "SIEVE": Sieve, "S3-FIFO": S3Fifo, "W-TinyLFU": WTinyLfu}


def compared(loads: Sequence[Load], limit_bytes: int) -> Table:
    """The hit ratios of each policy with each load, as a table."""
    found = Table(title="hit ratio in %", title_justify="left", box=box.SIMPLE_HEAD)
    found.add_column("values, load")
    for heading in (BEST, MIN, TIER, *_RIVALS):
        found.add_column(heading, justify="right")
    for load in loads:
        ratios = hit_ratios(load, limit_bytes)
        cells = (ratios.get(heading) for heading in (BEST, MIN, TIER, *_RIVALS))
        found.add_row(load.title, *("" if cell is None else f"{100 * cell:.1f}" for cell in cells))
    return found


def hit_ratios(load: Load, limit_bytes: int) -> Mapping[str, float]:
    """The hit ratio of each policy; and of MIN, which knows the future, where values are of equal size.

    Args:
        load: the load.
        limit_bytes: what each may take, an entry taking as much as in the tier.
    """

    def cost(key: int) -> int:
        return entry_bytes(name(key), BYTES_OBJECT + load.size(key))

    requests, begin = asked(load), counted_from(load)
    ratios = {
        BEST: best_choice(load, limit_bytes, cost),
        TIER: offered(load, requests, limit_bytes, counted_from=begin).hit_ratio,
    }
    if load.sizes == EQUAL:
        ratios[MIN] = clairvoyant(requests, limit_bytes // cost(0), counted_from=begin)
    costs = [cost(key) for key in range(load.key_count)]
    for title, rival in _RIVALS.items():
        policy = rival(limit_bytes)
        hits = [policy.ask(key, costs[key]) for key in requests]
        ratios[title] = sum(hits[begin:]) / (len(hits) - begin)
    return ratios
