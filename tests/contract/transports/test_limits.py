"""Entrypoints take on what they can, the same on every transport."""

import asyncio
from collections.abc import Awaitable

import pytest

from mesh.call import Side
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.status import MeshError, ResourceExhaustedError
from tests.contract.transports.conftest import Serve, eventually

BATCH = (("x-bookmesh-class", "batch"),)


async def outcomes(*calls: Awaitable[object]) -> list[str]:
    """How calls ended."""
    ended = await asyncio.gather(*calls, return_exceptions=True)
    return [end.reason if isinstance(end, MeshError) else "OK" for end in ended]


async def test_above_the_limit_is_shed(serve: Serve) -> None:
    """With all places taken and no queue, a call is refused at once, and the record says why."""
    bound = await serve(EntrypointSettings(max_concurrent=2, queue=0))
    calls = [bound.stub.Write(bound.pb2.EchoRequest(text="nap")) for _ in range(5)]
    assert sorted(await outcomes(*calls)) == ["OK", "OK", "OVERLOADED", "OVERLOADED", "OVERLOADED"]
    shed = [record.notes for record in bound.journal if record.side is Side.SERVER and record.notes]
    assert shed == [(("shed", "2 calls run and 0 wait"),)] * 3


async def test_refusal_says_when_to_come_back(serve: Serve) -> None:
    """A shed call is RESOURCE_EXHAUSTED with the time after which another may find a place."""
    bound = await serve(EntrypointSettings(max_concurrent=1, queue=0, queue_ms=250))
    first = asyncio.create_task(_await(bound.stub.Write(bound.pb2.EchoRequest(text="nap"))))
    assert await eventually(bound.seen.started.is_set)
    with pytest.raises(ResourceExhaustedError) as shed:
        await bound.stub.Write(bound.pb2.EchoRequest(text="plain"))
    await first
    assert shed.value.retry_after_s == 0.25


async def test_places_come_back(serve: Serve) -> None:
    """However calls end, their places are free again."""
    bound = await serve(EntrypointSettings(max_concurrent=1, queue=0))
    for text in ("plain", "not found", "bug", "self-cancel", "plain"):
        await outcomes(bound.stub.Write(bound.pb2.EchoRequest(text=text)))
    await outcomes(bound.stub.Write(bound.pb2.EchoRequest(text="hang"), timeout=0.1))
    assert await eventually(bound.seen.cancelled.is_set)
    assert await outcomes(bound.stub.Write(bound.pb2.EchoRequest(text="plain"))) == ["OK"]


async def test_interactive_before_batch(serve: Serve) -> None:
    """Of what waits, calls that somebody waits for come before batch work that came earlier."""
    bound = await serve(EntrypointSettings(max_concurrent=1, queue=10, queue_ms=5_000, batch_share=1))
    ended: list[str] = []

    async def call(name: str, metadata: tuple[tuple[str, str], ...]) -> None:
        await bound.stub.Write(bound.pb2.EchoRequest(text="nap"), metadata=metadata)
        ended.append(name)

    first = asyncio.create_task(call("first", ()))
    assert await eventually(bound.seen.started.is_set)
    batch = asyncio.create_task(call("batch", BATCH))
    await asyncio.sleep(0.05)
    await asyncio.gather(first, batch, call("interactive", ()))
    assert ended == ["first", "interactive", "batch"]


async def test_rate_of_a_caller(serve: Serve) -> None:
    """A caller that makes more calls than it may is told when it may make the next."""
    bound = await serve(EntrypointSettings(rate_per_s=0.5, burst=2))
    ended = [await outcomes(bound.stub.Write(bound.pb2.EchoRequest(text="plain"))) for _ in range(3)]
    with pytest.raises(ResourceExhaustedError) as limited:
        await bound.stub.Write(bound.pb2.EchoRequest(text="plain"))
    assert ended == [["OK"], ["OK"], ["RATE_LIMITED"]]
    assert 1 < (limited.value.retry_after_s or 0) <= 2
    assert limited.value.metadata["caller"] == "tester"


async def _await(call: Awaitable[object]) -> object:
    return await call
