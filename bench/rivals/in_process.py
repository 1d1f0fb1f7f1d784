"""(a) The binding in process, with every layer on: what an Env holds for a service of the same process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest, SearchAutoResponse
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub

from bench.answer import Question, as_message, request
from bench.rivals import Rival
from mesh.config.breaker_settings import BreakerSettings
from mesh.context import Context
from mesh.testing import in_process

NAME = "in_process"
YARDSTICK = "task"


class Prepared(BooksServiceServicer):
    """Answers with a message that lies ready, as a hit in the cache does."""

    def __init__(self) -> None:
        self._answers = {question.value: as_message(question) for question in Question}

    async def SearchAuto(self, request: SearchAutoRequest, context: Context) -> SearchAutoResponse:  # noqa: ARG002, N802 - the contract's name and parameters
        """The answer to a question of the benchmark."""
        return self._answers[request.q]


def prepared() -> Prepared:
    """The entrypoint, without the methods that the benchmark does not call."""
    return Prepared()  # type: ignore[abstract]  # the rest of the contract is no part of the benchmark


@asynccontextmanager
async def rival() -> AsyncIterator[Rival]:
    """The rival, with the settings that a manifest gives a binding when it says nothing."""
    stub = in_process(BooksServiceStub, prepared(), clock=time.monotonic, breaker=BreakerSettings())
    yield Rival(name=NAME, title="binding in process", start=starter(stub), to_message=to_message)


@asynccontextmanager
async def bare_task() -> AsyncIterator[Rival]:
    """The yardstick: a task that gives the same message and does nothing else. It tells how fast the machine is now."""
    answers = {question.value: as_message(question) for question in Question}

    async def give(question: str) -> SearchAutoResponse:
        return answers[question]

    def start(question: Question) -> Callable[[], Awaitable[object]]:
        return lambda: asyncio.create_task(give(question.value))

    yield Rival(name=YARDSTICK, title="an asyncio task, bare", start=start, to_message=to_message)


def starter(stub: BooksServiceStub) -> Callable[[Question], Callable[[], Awaitable[object]]]:
    """How a call through a stub is begun."""

    def start(question: Question) -> Callable[[], Awaitable[object]]:
        asked, search = request(question), stub.SearchAuto
        return lambda: search(asked)

    return start


def to_message(answer: object) -> SearchAutoResponse:
    """The answer of a stub is a message already."""
    return cast("SearchAutoResponse", answer)
