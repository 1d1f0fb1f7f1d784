"""The faults, each as a block: broken at its beginning, mended at its end."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator

from tests.chaos.fault_proxy import FaultProxy, Mode, Pass
from tests.chaos.house import House
from tests.chaos.programs import Program


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
    for program in programs:
        program.freeze()
    try:
        yield
    finally:
        for program in programs:
            program.thaw()


@contextlib.asynccontextmanager
async def standing(house: House, service: str) -> AsyncIterator[None]:
    """A service's process stands still: its connections stay open, and nobody answers on them."""
    pid = house.process(service)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


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
