"""What came of a fuzz, for people."""

from collections import Counter

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tests.fuzz.attack import Outcome


def told(outcome: Outcome) -> Group:
    """Counts by code for each method, then the memory, then what must not happen."""
    table = Table(box=box.SIMPLE_HEAD, title="requests by method and status", title_justify="left")
    table.add_column("method")
    table.add_column("requests", justify="right")
    table.add_column("ended with")
    for name, codes in outcome.codes.items():
        table.add_row(name, f"{codes.total():,}", ", ".join(f"{code} {count:,}" for code, count in codes.most_common()))
    total = sum(outcome.codes.values(), Counter[str]())
    table.add_row("all", f"{total.total():,}", ", ".join(f"{code} {count:,}" for code, count in total.most_common()))
    rate = total.total() / outcome.duration_s
    faults = [Text(fault, "red") for fault in outcome.faults[:20]]
    return Group(
        table,
        Text(
            f"{total.total():,} requests in {outcome.duration_s:,.0f} s, {rate:,.0f} a second. "
            f"INTERNAL: {total['INTERNAL']}, UNKNOWN: {total['UNKNOWN']}, hung: {total['HUNG']}, "
            f"broken: {total['BROKE']}, faults in all: {len(outcome.faults)}.\n"
            f"Memory: {outcome.rss_mib[0]:,.0f} MiB at first, {outcome.rss_mib[-1]:,.0f} MiB at the end; "
            f"{outcome.growth_mib:+.1f} MiB after the warm-up, at most {outcome.growth_limit_mib:.0f} are allowed."
        ),
        *faults,
    )
