"""The count of firings over simulated days, in its short form."""

import asyncio
from dataclasses import replace

import pytest

from bench.firings.__main__ import REPLICAS, SEED, measured
from bench.firings.courses import COURSES
from bench.firings.judging import Count

DAYS = 6


@pytest.mark.timeout(300)  # five servers, and some ten thousand operations on them
def test_each_day_fires_once() -> None:
    """Whatever befalls four replicas, each day's instant fires once; what all of them miss is made up once."""
    counts = asyncio.run(measured(DAYS, REPLICAS, SEED))
    told = [(course.title, course.expected(DAYS), each) for course, each in zip(COURSES, counts, strict=True)]
    assert [(title, expected, each) for title, expected, each in told if not each.is_met(expected)] == []
    assert counts[2].lost > 0
    assert [counts[3].made_up, counts[4].made_up] == [1, 3]


def test_what_is_missed() -> None:
    """A course is missed for each firing that is lacking, one too many, twice, beside another or too early."""
    met = Count(due=6, fired=6, twice=0, overlapping=0, early=0, lost=2, made_up=2, kept=8)
    assert met.is_met(6)
    assert not met.is_met(5)
    faults = [{"twice": 1}, {"overlapping": 1}, {"early": 1}, {"fired": 7}, {"kept": 7}]
    assert [replace(met, **fault).is_met(6) for fault in faults] == [False] * 5
