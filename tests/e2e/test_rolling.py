"""The short form of `make rolling`: every replica is restarted once while two kinds of clients call."""

from bench.rolling.__main__ import measured
from bench.rolling.report import ALL

SETTLE_S = 1.2
"""Seconds from one replica's return to the end of the next; clients try every second to reach one that was gone."""


async def test_no_call_is_lost() -> None:
    """Two replicas of the books and two of the leaf are restarted in turn, and no call of any client fails."""
    told = await measured(1, 500, 60, settle_s=SETTLE_S)
    rows = {row["caller"]: row for row in told["callers"]}
    assert {name: row["failures"] for name, row in rows.items()} == {name: {} for name in rows}
    assert (told["restarts"], len(rows), rows[ALL]["calls"] >= 500) == (4, 3, True)
