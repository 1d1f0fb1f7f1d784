"""(d) The strongest rival over plain HTTP: aiohttp at both ends, orjson, and plain objects without types.

The answer lies ready as dicts and is written out for each call; the client reads it into dicts and looks no further.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import orjson
from aiohttp import web
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse

from bench.answer import Question, as_dicts, parameters, to_message
from bench.process import server
from bench.rivals import Rival

NAME = "aiohttp"


@asynccontextmanager
async def rival() -> AsyncIterator[Rival]:
    """The rival: one session that keeps its connections."""
    async with server("aiohttp_orjson", "127.0.0.1:0") as process, aiohttp.ClientSession() as session:
        url = f"http://{process.address}/search"

        def start(question: Question) -> Callable[[], Awaitable[object]]:
            query = parameters(question)

            async def search() -> object:
                async with session.get(url, params=query) as response:
                    return orjson.loads(await response.read())

            return search

        yield Rival(name=NAME, title="aiohttp, orjson", start=start, to_message=_message, server_cpu=process.cpu_s)


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves the answers; gives the address that it listens on."""
    host, _, port = address.rpartition(":")
    answers = {question.value: as_dicts(question) for question in Question}

    async def search(request: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(answers[request.query["q"]]), content_type="application/json")

    app = web.Application()
    app.router.add_get("/search", search)
    # No rival writes a line for each call.
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
        yield f"{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _message(answer: object) -> SearchAutoResponse:
    return to_message(cast("Mapping[str, Any]", answer))
