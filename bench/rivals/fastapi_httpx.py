"""(c) What a Python user would write instead: FastAPI on uvicorn, httpx, JSON, and typed models at both ends.

Everything is as it comes. sniffio is installed, without which httpx costs more still.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import httpx
import uvicorn
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse
from fastapi import FastAPI

from bench import models
from bench.answer import WORK_COUNT, Question, as_dicts, parameters, to_message
from bench.process import server
from bench.rivals import Rival

NAME = "fastapi"


@asynccontextmanager
async def rival() -> AsyncIterator[Rival]:
    """The rival: one client that keeps its connections, as httpx's manual has it."""
    async with (
        server("fastapi_httpx", "127.0.0.1:0") as process,
        httpx.AsyncClient(base_url=f"http://{process.address}") as client,
    ):

        def start(question: Question) -> Callable[[], Awaitable[object]]:
            query = parameters(question)

            async def search() -> models.Answer:
                response = await client.get("/search", params=query)
                response.raise_for_status()
                return models.Answer.model_validate_json(response.content)

            return search

        yield Rival(
            name=NAME,
            title="FastAPI, uvicorn, httpx",
            start=start,
            to_message=_message,
            server_cpu=process.cpu_s,
        )


def application() -> FastAPI:
    """The application, with the answers as models that lie ready."""
    app = FastAPI()
    answers = {question.value: models.Answer.model_validate(as_dicts(question)) for question in Question}

    @app.get("/search")
    async def search(q: str, max_results: int = WORK_COUNT) -> models.Answer:  # noqa: ARG001 - read and checked, as the contract's request is
        return answers[q]

    return app


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves the application with uvicorn; gives the address that it listens on."""
    host, _, port = address.rpartition(":")
    # With its protocol named: asyncio turns Nagle's algorithm off only then, and else each call waits for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, int(port)))
    listener.listen()
    # No rival writes a line for each call.
    running = uvicorn.Server(uvicorn.Config(application(), log_level="warning", access_log=False))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        # The socket takes connections from the start; uvicorn finds those that came before it.
        yield f"{host}:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        await task


def _message(answer: object) -> SearchAutoResponse:
    return to_message(cast("models.Answer", answer).model_dump(mode="json", exclude_none=True))
