"""The faults, each as a block: broken at its beginning, mended at its end."""

import contextlib
from collections.abc import AsyncIterator

from tests.chaos.fault_proxy import FaultProxy, Mode, Pass
from tests.chaos.house import House
from tests.chaos.programs import Program
from tests.standstill import standstill


@contextlib.asynccontextmanager
async def proxied(proxy: FaultProxy, mode: Mode) -> AsyncIterator[None]:
    """What goes through a proxy is broken."""
    await proxy.set(mode)
    try:
        yield
    finally:
        await proxy.set(Pass())


@contextlib.asynccontextmanager
async def frozen(*programs: Program) -> AsyncIterator[None]:
    """Servers stand still."""
    with standstill(*(program.pid for program in programs)):
        yield


@contextlib.asynccontextmanager
async def standing(house: House, service: str) -> AsyncIterator[None]:
    """A service's process stands still: its connections stay open, and nobody answers on them."""
    with standstill(house.process(service)):
        yield


@contextlib.asynccontextmanager
async def stopped(program: Program) -> AsyncIterator[None]:
    """A server is killed, and runs again when the block has ended."""
    program.kill()
    try:
        yield
    finally:
        await program.start()


@contextlib.asynccontextmanager
async def provider_fails(house: House, **fault: object) -> AsyncIterator[None]:
    """The provider answers, and wrongly."""
    await house.sandbox(fault)
    try:
        yield
    finally:
        await house.sandbox()
