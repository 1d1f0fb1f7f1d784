"""The rivals: ways in which one Python program may ask another for books, each asked the same and answering the same.

Each module offers its rivals as `async with NAME() as rival`, and those whose answering side is a process of its own a
`serving(address)` that runs in it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse

from bench.answer import Question
from bench.measure import Start


async def no_server() -> float:
    """The CPU seconds of a server that there is not: both sides are in this process."""
    return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One way of asking, ready to be used."""

    name: str
    """Its name in JSON: "in_process", "unix", "tcp", "fastapi", "aiohttp"."""
    title: str
    """What it is, for people."""
    start: Callable[[Question], Start]
    """How the call is begun that asks a question; what does not change from call to call is done before."""
    to_message: Callable[[object], SearchAutoResponse]
    """What a call came to, as a message, so that all can be held to the same answer."""
    server_cpu: Callable[[], Awaitable[float]] = no_server
    """CPU seconds that the answering process has used so far."""
