"""What the warmer's settings may be."""

import pytest

from mesh.config.problems import ConfigurationError
from services.warmer.entrypoints import lifespan
from services.warmer.settings import settings_of
from tests.integration.warmer.house import House


def test_defaults(house: House) -> None:
    """Without settings a library has 512 MB and a million rows at most."""
    settings = settings_of(house.env())
    assert (settings.max_library_bytes, settings.max_library_rows) == (512 * 1024 * 1024, 1_000_000)


@pytest.mark.parametrize(
    "name",
    [
        "MAX_LIBRARY_BYTES",
        "MAX_LIBRARY_ROWS",
        "WARM_CONCURRENCY",
        "MICRO_BATCH_SEARCHES",
        "VERIFY_SAMPLE",
        "REFRESH_AHEAD_S",
    ],
)
@pytest.mark.parametrize("value", [0, -1, 2**62])
def test_numbers_out_of_range(house: House, name: str, value: int) -> None:
    """A number that makes no sense is told by its name."""
    with pytest.raises(ConfigurationError) as caught:
        settings_of(house.env(None, **{name: value}))
    assert [f"services.warmer.env.Env.{name}"] == [problem.where for problem in caught.value.problems]


def test_all_problems_at_once(house: House) -> None:
    """Every setting that makes no sense is told in one message."""
    with pytest.raises(ConfigurationError) as caught:
        settings_of(house.env(MAX_LIBRARY_BYTES=0, WARM_CONCURRENCY=0, VERIFY_SAMPLE=-1))
    assert len(caught.value.problems) == 3


async def test_a_wrong_setting_starts_nothing(house: House) -> None:
    """A service with a wrong setting does not open."""
    with pytest.raises(ConfigurationError):
        async with lifespan(house.env(MAX_LIBRARY_ROWS=0)):
            pass
