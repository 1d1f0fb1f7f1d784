"""The measurement of the memory tier: the load, the best possible, the other policies, and its claims in short."""

import io

import pytest
from rich.console import Console

from bench.memory_tier.__main__ import main
from bench.memory_tier.best import bare_bytes, best_choice, clairvoyant
from bench.memory_tier.comparison import BEST, MIN, TIER, hit_ratios
from bench.memory_tier.load import EQUAL, VARIED, Load, name
from bench.memory_tier.measuring import Measured, asked, measured, table
from bench.memory_tier.offer import Outcome
from bench.memory_tier.rivals import Lru, Policy, S3Fifo, Sieve, WTinyLfu

MB = 1024 * 1024


def load_of(sizes: str = EQUAL, key_count: int = 1000, exponent: float = 1.0) -> Load:
    """A small load."""
    return Load(key_count=key_count, exponent=exponent, sizes=sizes)


def test_zipf() -> None:
    """The n-th key is asked for once for n requests of the first, and all of it is the same each time."""
    load = load_of(key_count=10)
    asked_for = list(load.requests(60_000))
    counts = [asked_for.count(key) for key in range(10)]
    assert [round(counts[0] / count) for count in counts[:5]] == [1, 2, 3, 4, 5]
    assert list(load.requests(100)) == asked_for[:100]


def test_every_key_is_offered() -> None:
    """Each key comes once before any comes again."""
    load = load_of()
    requests = asked(load)
    assert (sorted(requests[:1000]), len(requests)) == (list(range(1000)), 3000)


def test_sizes() -> None:
    """Sizes are equal, or spread evenly over 1 to 30 KB, whatever the rank."""
    assert {load_of().size(key) for key in range(1000)} == {1024}
    sizes = [load_of(VARIED).size(key) for key in range(1000)]
    assert (min(sizes) >= 1024, max(sizes) < 30 * 1024) == (True, True)
    for part in (sizes[:500], sizes[500:]):
        assert abs(sum(part) / 500 - 15.5 * 1024) < 200


def test_names_are_new() -> None:
    """A key's text is made each time, for the tier must pay for the one that it keeps."""
    assert name(7) == name(7)
    assert name(7) is not name(7)


def test_best_choice() -> None:
    """The best choice keeps what brings the most for its bytes, and a part of the next where there is room left."""
    load = load_of(key_count=3)
    first, second, third = load.shares()
    assert best_choice(load, 25, lambda _: 10) == pytest.approx(first + second + third / 2)
    assert best_choice(load, 10, lambda key: (100, 10, 1)[key]) == pytest.approx(third + 0.9 * second)


def test_clairvoyant() -> None:
    """Who knows the future keeps what is asked for next soonest: Belady's own kind of example, counted by hand."""
    assert clairvoyant([1, 2, 3, 1, 2, 3], 2, counted_from=0) == pytest.approx(2 / 6)
    assert clairvoyant([1, 2, 1, 2], 1, counted_from=2) == pytest.approx(1 / 2)


@pytest.mark.parametrize("policy", [Lru, Sieve, S3Fifo, WTinyLfu])
def test_rivals_keep_what_is_popular(policy: type[Lru | Sieve | S3Fifo | WTinyLfu]) -> None:
    """Each of the other policies finds what is asked for all the time, and not what is asked for once."""
    cache: Policy = policy(10_000)
    hits = [cache.ask(key, 100) for number in range(2000) for key in (number % 10, 1000 + number)]
    assert sum(hits) == sum(hits[::2])
    assert sum(hits[::2]) > 1900


def test_rivals_stay_within_their_room() -> None:
    """LRU is what one can count by hand: of three that fit in, the one that was not asked for longest goes."""
    cache = Lru(30)
    assert [cache.ask(key, 10) for key in (1, 2, 3, 1, 4, 2, 1)] == [False, False, False, True, False, False, True]


@pytest.mark.parametrize("sizes", [EQUAL, VARIED])
def test_claims(sizes: str) -> None:
    """In short, what `make memory-tier` proves: within its bytes by its account and truly, near the best possible."""
    result = measured(load_of(sizes, key_count=8_000), MB // 2, traced=True)
    assert (result.outcome.byte_count <= MB // 2, result.outcome.grown_by <= MB // 2) == (True, True)
    assert result.points <= 6  # small as it is, what each entry costs weighs more than in the tier that is measured


def test_better_than_lru() -> None:
    """The tier is between LRU and the best choice, which is below who knows the future."""
    ratios = hit_ratios(load_of(key_count=8_000), MB // 2)
    assert ratios["LRU"] + 0.03 < ratios[TIER] < ratios[BEST] < ratios[MIN]


@pytest.mark.parametrize(
    ("hit_ratio", "byte_count", "grown_by", "holds"),
    [(0.751, 10, 10, True), (0.749, 10, 10, False), (0.8, 11, 10, False), (0.8, 10, 11, False)],
)
def test_judgement(hit_ratio: float, byte_count: int, grown_by: int, holds: bool) -> None:  # noqa: FBT001 - an expectation
    """It holds only with the hit ratio, the account and the true growth as they must be; the table says which."""
    outcome = Outcome(hit_ratio=hit_ratio, value_count=1, byte_count=byte_count, grown_by=grown_by, request_us=1.0)
    result = Measured(load=load_of(), limit_bytes=10, best=0.8, outcome=outcome, traced=False)
    paper = Console(file=io.StringIO(), width=200)
    paper.print(table([result]))
    assert isinstance(paper.file, io.StringIO)
    assert (result.holds, "DOES NOT HOLD" not in paper.file.getvalue()) == (holds, holds)


def test_bare_bytes() -> None:
    """The best possible pays for key and value, and for nothing else."""
    assert bare_bytes(load_of(), 3) == 49 + len(name(3)) + 33 + 1024


def test_bad_arguments() -> None:
    """An exponent that is none is bad usage."""
    with pytest.raises(SystemExit) as ended:
        main(["--exponent", "0"])
    assert ended.value.code == 2
