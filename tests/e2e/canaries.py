"""What the canary test is made of: planted secrets, a provider and an S3 server that shout them, and a net for all."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

PROVIDER_KEY = "canaryprovider7f31"
KV_PASSWORD = "canarykv#pass 8e42"
S3_SECRET = "canarys3secret9d53"
OPERATOR_TOKEN = "canaryoperator6c64"

CANARIES = (PROVIDER_KEY, KV_PASSWORD, S3_SECRET, OPERATOR_TOKEN)


def forms(secret: str) -> set[bytes]:
    """How a secret may look where it has leaked: as it is, quoted, and in Base64 at each of its three alignments."""
    data = secret.encode()
    coded = {base64.b64encode(b"\0" * shift + data)[shift and 4 : -4] for shift in range(3)}
    return {data, quote(secret, safe="").encode(), *coded}


FORMS = {form: secret for secret in CANARIES for form in forms(secret)}


@dataclass
class Net:
    """Everything that came out of a deployment, by where it was caught."""

    caught: list[tuple[str, bytes]] = field(default_factory=list)

    def take(self, where: str, *things: object) -> None:
        """Keeps what came out, as bytes; of an exception all that it says of itself."""
        for thing in things:
            self.caught.append((where, thing if isinstance(thing, bytes) else f"{thing!s} {thing!r}".encode()))

    def take_files(self, folder: Path, *but: Path) -> None:
        """Keeps every file below a directory but those where a secret is told on purpose."""
        for path in folder.rglob("*"):
            if path.is_file() and path not in but:
                self.take(f"file {path.relative_to(folder)}", path.read_bytes())

    def leaks(self) -> set[tuple[str, str]]:
        """Where a secret was found, and which."""
        return {(where, secret) for where, data in self.caught for form, secret in FORMS.items() if form in data}


class Shouter:
    """A provider, and an S3 server, that tell everybody the key that they are sent; as bad as they can be."""

    def __init__(self) -> None:
        self.mode = "fine"
        self.port = 0
        self.modes_met: set[str] = set()
        """The modes in which it was sent the provider's key."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers as its mode says; whatever it is, all headers of the request are in it."""
        sent = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
        if request.headers.get("Authorization") == PROVIDER_KEY:
            self.modes_met.add(self.mode)
        headers = {"X-You-Sent": sent.replace("\n", " ")[:2000], "WWW-Authenticate": sent[:500]}
        match self.mode:
            case "fine":
                book = {"title": "Dune", "isbn13": "9780441013593", "authors": ["Frank Herbert"], "language": "en"}
                found: dict[str, Any] = {"book": book, "books": [book], "data": [book], "total": 1, "author": "X"}
                return web.json_response(found, headers=headers)
            case "refused":
                return web.json_response({"errorMessage": f"bad key: {sent}"}, status=401, headers=headers)
            case "forbidden":
                return web.Response(text=f"<Error><Code>{sent[:200]}</Code></Error>", status=403, headers=headers)
            case "broken":
                return web.Response(text=f"Traceback: {sent}", status=500, headers=headers)
            case "garbage":
                return web.Response(text=f'{{"book": "{sent}', content_type="application/json", headers=headers)
            case "elsewhere":
                where = f"http://127.0.0.1:1/?key={quote(sent[:200])}"
                return web.Response(status=302, headers={**headers, "Location": where})
        # "gone": the connection ends without an answer.
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


MODES = ("fine", "refused", "forbidden", "broken", "garbage", "elsewhere", "gone")


@contextmanager
def shouting() -> Iterator[Shouter]:
    """Runs the shouter in a thread until the block ends."""
    shouter, loop = Shouter(), asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/{path:.*}", shouter.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        shouter.port = runner.addresses[0][1]
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield shouter
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(runner.cleanup())
        loop.close()
