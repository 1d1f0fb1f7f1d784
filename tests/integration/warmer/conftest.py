"""One key-value server for all tests of the warmer's jobs, and a house of its own for each."""

import itertools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from mesh.hosting.embedded import embedded_valkey
from tests.integration.warmer.house import House

_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey() -> AsyncIterator[str]:
    """The URL of a real server."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url


@pytest.fixture
def house(valkey: str) -> House:
    """A house whose keys no other test sees."""
    return House(valkey, f"warming-{next(_numbers)}")
