"""grpc.aio alone with a handler that gives bytes: the very ones that a hit in the cache gives, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from grpc import aio

from bench.answer import Question, request
from bench.rivals import cached
from mesh.contract import service_of
from mesh.testing import in_process
from services.books.entrypoints import Default

NAME = "bare_bytes"


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves the answers as they lie; gives the address that it listens on."""
    async with cached.default() as entrypoint:
        answers = {question.value: await _bytes_of(entrypoint, question) for question in Question}

    async def give(asked: SearchAutoRequest, _: Any) -> bytes:
        return answers[asked.q]

    handler: Any = grpc.unary_unary_rpc_method_handler(give, request_deserializer=SearchAutoRequest.FromString)
    listener = aio.server()
    listener.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service_of(Default).name, {"SearchAuto": handler})]
    )
    port = listener.add_insecure_port(address)
    await listener.start()
    try:
        yield f"127.0.0.1:{port}" if address.endswith(":0") else address
    finally:
        await listener.stop(1)


async def _bytes_of(entrypoint: Default, question: Question) -> bytes:
    """What the entrypoint would send."""
    answer = await in_process(BooksServiceStub, entrypoint).SearchAuto(request(question))
    return answer.SerializeToString()
