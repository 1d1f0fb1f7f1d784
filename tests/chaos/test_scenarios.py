"""The short form of `make chaos`: each fault once, for a moment, with wider bounds."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.chaos.claims import SHORT
from tests.chaos.course import Scenario
from tests.chaos.house import House, house
from tests.chaos.scenarios import SCENARIOS

BRIEF = [scenario for scenario in SCENARIOS if scenario.brief]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, House]]:
    """A deployment to break, and the loop that its stubs live on."""
    with asyncio.Runner() as runner:
        closing = AsyncExitStack()
        made = runner.run(closing.enter_async_context(house(tmp_path_factory.mktemp("chaos"))))
        yield runner, made
        runner.run(closing.aclose())


@pytest.mark.timeout(180)  # the first of them waits until eight processes run
@pytest.mark.parametrize("scenario", BRIEF, ids=lambda scenario: scenario.broken)
def test_what_is_claimed(running: tuple[asyncio.Runner, House], scenario: Scenario) -> None:
    """While something is broken and after it, all holds that is claimed."""
    runner, made = running
    claims = runner.run(scenario.run(made, SHORT))
    broken = [f"{claim.what}: {claim.claimed}, but {claim.measured}" for claim in claims if not claim.holds]
    assert (bool(claims), broken) == (True, [])
