"""The only place that carries a fault out on a live connection: what faults.py decides, this does."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from sandbox.faults import Strike

_PIECES = 20
_GARBAGE = b"<html><head><title>502 Bad Gateway</title></head><body>{not json"


class Dropped(Exception):  # noqa: N818 -- it is an outcome, no error of the sandbox's
    """The connection was cut; there is no answer to send."""


async def spoil(
    request: web.Request,
    answered: web.Response,
    strike: Strike,
    drained: asyncio.Event,
    error: Callable[[int], web.Response],
) -> web.StreamResponse:
    """Sends the answer the way the strike wants it.

    Args:
        request: The call.
        answered: What would have been sent.
        strike: What happens instead, its delay already over.
        drained: Set when the server stops, so that nothing hangs on.
        error: The provider's answer with a status.

    Raises:
        Dropped: The connection is gone.
    """
    match strike.kind:
        case "status":
            return error(strike.status)
        case "garbage":
            return web.Response(body=_GARBAGE, content_type="application/json")
        case "hang":
            await drained.wait()
            raise _cut(request)
        case "drop":
            raise _cut(request)
        case "truncated" | "trickle":
            return await _in_pieces(request, answered, strike, drained)
        case "latency":
            return answered


async def _in_pieces(
    request: web.Request, answered: web.Response, strike: Strike, drained: asyncio.Event
) -> web.StreamResponse:
    """Sends the body bit by bit, or its first half and no more."""
    body = answered.body if isinstance(answered.body, bytes) else b""
    stream = web.StreamResponse(status=answered.status, headers={"Content-Type": "application/json"})
    stream.content_length = len(body)
    await stream.prepare(request)
    if strike.kind == "truncated":
        await stream.write(body[: len(body) // 2])
        raise _cut(request, soft=True)
    step = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), step):
        await stream.write(body[start : start + step])
        await wait(strike.trickle_s, drained)
    await stream.write_eof()
    return stream


async def wait(seconds: float, drained: asyncio.Event) -> None:
    """Sleeps, but no longer than the server lives."""
    if seconds > 0:
        try:
            await asyncio.wait_for(drained.wait(), seconds)
        except TimeoutError:
            return


def _cut(request: web.Request, *, soft: bool = False) -> Dropped:
    """Ends the connection: softly what was written still arrives, else the peer sees it reset."""
    if request.transport is not None:
        (request.transport.close if soft else request.transport.abort)()
    return Dropped()
