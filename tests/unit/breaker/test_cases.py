"""The cases that a circuit breaker must pass, gathered from the suites of the best-known ones, and why not all.

The numbers are the names that the tests give with `@pytest.mark.case(...)`, here and in tests/contract/transports.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]

CASES: dict[int | str, str] = {
    # Those of resilience4j.
    1: "a failure rate just below its threshold leaves it closed, at it opens",
    2: "slow calls open, successes among them",
    3: "no rate below the minimum volume",
    4: "open refuses, and counts what it refuses",
    5: "after its time the first call finds it half-open, with its counts begun anew",
    6: "each opening in a row is longer than the last",
    7: "half-open lets its number of probes pass, and as many again after the next opening",
    8: "a permit given back unused is free again",
    9: "an ignored outcome in half-open frees its place and does not count",
    10: "failed probes open",
    11: "slow probes open",
    12: "half-open without results can't stick",
    13: "forced open never leaves by time",
    14: "disabled permits all, counts and tells nothing",
    15: "metrics only records, tells once, refuses nothing",
    16: "closed to half-open is no move",
    17: "a reset zeroes",
    18: "the first state can be set",
    19: "a move by hand ends the waiting for a probe",
    20: "settings without sense are refused; what is ignored is asked before what is recorded, and the rest is success",
    21: "a predicate on results records failures",
    # Those of gobreaker.
    22: "opens at the last failure of the row, not before; a success between resets",
    23: "a millisecond before its time it is still open",
    24: "half-open: the first real failure opens; excluded calls take no place",
    25: "half-open: all must succeed, none more than its places pass at once",
    26: "an outcome from before a change of state is ignored",
    27: "a crash counts as a failure and is raised on",
    28: "buckets expire one by one; fourteen of twenty-three pass 0.6",
    29: "excluded calls count as requests and not in the ratio",
    30: "ten at once, thousands of calls: exact counts",
    31: "negative durations never take effect",
    32: "two instances share their state through a store",
    # Those of pybreaker and aiobreaker.
    33: "open runs nothing, and counts no failure for it",
    34: "the call that opens raises its own error, with its stack",
    35: "five that race make one move to half-open",
    36: "failures at once: the count is exact",
    37: "n successes needed: a failure resets their count",
    38: "classes of errors can be left out, subclasses too",
    39: "a generator that fails while it is read is a failure",
    40: "nested decorators do not count twice",
    41: "listeners hear in order, after the move, and nothing at the start",
    42: "a lost Redis falls back to a state",
    43: "the time left where no time was set",
    # Our own.
    "cancelled probe": "a task cancelled in the middle of its probe frees the place",
    "deadline below slow": "a deadline shorter than the slow threshold",
    "stream": "the outcome of a stream is known at its end",
    "retries": "a call that is retried counts once",
    "two loops": "a breaker in two event loops",
    "clock jump": "a clock that jumps",
    "ten thousand keys": "memory stays bounded, however many keys there are",
    "another caller": "a breaker that one caller opened is none of another's",
}
"""Each case in a few words of our own."""

NOT_HERE: dict[int | str, str] = {
    21: "An answer is a success or an error with a status; what a status means stands in mesh.status.classify alone.",
    32: "A breaker is its caller's own view of its callee: nothing is shared, so there is nothing to agree on.",
    40: "There are no decorators: the layer stands once in the list, and test_layer_order.py holds the list to that.",
    42: "No store holds a breaker's state, so none can be lost.",
    "ten thousand keys": "There is one breaker for each method of each binding of a manifest, and no other key.",
}
"""Cases that make no sense here, and why."""

MARK = re.compile(r"mark\.case\((?:(\d+)|\"([^\"]+)\")\)")


def proven() -> set[int | str]:
    """The names of all cases that a test is marked with."""
    tests = [*Path(__file__).parent.glob("test_*.py"), *(ROOT / "tests/contract/transports").glob("test_*.py")]
    return {
        int(number) if number else word
        for test in tests
        if test.name != Path(__file__).name
        for number, word in MARK.findall(test.read_text())
    }


def test_every_case_is_proven_or_has_its_reason() -> None:
    """No case is left out silently, none is both proven and left out, and no mark names a case that is not listed."""
    assert (CASES.keys() - proven() - NOT_HERE.keys(), proven() & NOT_HERE.keys(), proven() - CASES.keys()) == (
        set(),
        set(),
        set(),
    )
