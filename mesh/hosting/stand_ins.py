"""Stand-ins: local programs in the place of a provider whose secret is unset; every start names them."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

import structlog

from mesh.config.address_book import StandIn
from mesh.config.problems import ConfigurationError, Problem

_START_S = 15.0
"""Seconds that a stand-in gets until it listens."""

_log = structlog.get_logger("mesh.hosting.stand_ins")


@contextlib.asynccontextmanager
async def standing_in(stand_ins: Sequence[StandIn]) -> AsyncIterator[None]:
    """Runs each stand-in as a process of its own, until the block ends.

    Raises:
        ConfigurationError: one did not start; its own words say why.
    """
    async with contextlib.AsyncExitStack() as running:
        for stand_in in stand_ins:
            await running.enter_async_context(_standing_in(stand_in))
        yield


@contextlib.asynccontextmanager
async def _standing_in(stand_in: StandIn) -> AsyncIterator[None]:
    host, _, port = stand_in.address.target.rpartition(":")
    command = ["-m", stand_in.module, "--host", host, "--port", port, "--die-with-parent", *stand_in.arguments]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C at the terminal is for the services, which drain before this ends
    )
    try:
        said = await _first_line(process)
        if not said or process.returncode is not None:
            await process.wait()
            what = f"the stand-in {stand_in.module} did not start: {said or 'it said nothing'}"
            raise ConfigurationError([Problem(f"stand_ins.{stand_in.secret_name}", what)])
        _log.warning("stand_in", secret=stand_in.secret_name, module=stand_in.module, says=said)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _first_line(process: asyncio.subprocess.Process) -> str:
    """The line that a stand-in prints when it listens, or when it can't."""
    if process.stdout is None:
        return ""
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        return ""
    # One that fails prints its sentence and ends; a moment tells the two apart.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await process.wait()
    return line.decode(errors="replace").strip()
