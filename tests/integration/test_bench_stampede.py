import asyncio

import pytest

from bench.stampede import measured


@pytest.mark.timeout(150)  # it starts three processes and a sandbox, and waits until a lease is over
def test_a_crowd_costs_what_one_caller_costs() -> None:
    """A hundred callers over two processes cost what one of them costs, and those of a killed one's fellow go on."""
    found = asyncio.run(measured(100, 2, 1))
    assert [(each.what, each.answered, each.calls) for each in found if not each.met] == []
