"""The only place that runs the sandbox as a process: arguments in, a listening server, a drain on SIGTERM or SIGINT."""

import argparse
import asyncio
import ctypes
import dataclasses
import gc
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox.app import GOOGLE_PER_DAY, OPEN_LIBRARY_PER_SECOND, Settings, create_app
from sandbox.catalog import LOC
from sandbox.catalogue import load
from sandbox.google_books_api import PREFIX as GOOGLE_PREFIX
from sandbox.limits import PLANS, Limits
from sandbox.shelf import CatalogueError, read

DEFAULT_KEY = "sandbox"
DEFAULT_PORT = 7490

_FAILED = 1
_BAD_CONFIGURATION = 64  # EX_USAGE of sysexits.h, the project's status for bad configuration
_DRAIN_S = 5.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MAX_PORT = 65_535


class _Parser(argparse.ArgumentParser):
    """Refuses bad arguments with the project's status instead of argparse's 2."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse says NoReturn, and exit() is one
        """Says what is wrong, in one line."""
        self.exit(_BAD_CONFIGURATION, f"sandbox: {message}\n")


def main(argv: list[str] | None = None) -> int:
    """Serves until it is told to stop.

    Returns:
        0 after a drain, 1 when the address cannot be had, 64 for a bad argument or catalogue.
    """
    options = _options(argv)
    parent = os.getppid()
    if options.die_with_parent and not _die_with_parent(parent):
        return _complain("the parent is gone already", _FAILED)
    # What is loaded stays to the end: looking through it for garbage, again and again, doubles the time that it takes.
    gc.disable()
    try:
        catalogue = load(read(options.catalog))
    except CatalogueError as problem:
        return _complain(str(problem), _BAD_CONFIGURATION)
    plan = PLANS[options.plan]
    settings = Settings(
        plan=dataclasses.replace(
            plan,
            per_second=plan.per_second if options.per_second is None else options.per_second,
            per_day=plan.per_day if options.per_day is None else options.per_day,
        ),
        keys=options.key or [DEFAULT_KEY],
        denied_keys=options.denied_key,
        latency_s=options.latency_ms / 1000,
        author_total=options.author_total,
        bill_each_isbn=options.bill_each_isbn,
        google=Limits(per_second=options.google_per_second, per_day=options.google_per_day),
        google_keys=options.google_key,
        google_keyless_per_day=options.google_keyless_per_day,
        google_spent_status=options.google_spent_status,
        open_library_per_second=options.open_library_per_second,
    )

    app = create_app(catalogue, settings)
    gc.freeze()
    gc.enable()

    async def run() -> int:
        runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_DRAIN_S,
        )
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await runner.setup()
        try:
            site = web.TCPSite(runner, options.host, options.port)
            await site.start()
            host, port, *_ = runner.addresses[0]
            shown = f"[{host}]" if ":" in host else host
            print(f"sandbox: {_served(f'http://{shown}:{port}', settings, len(catalogue.books))}", flush=True)
            await stop.wait()
        except OSError as problem:
            return _complain(f"cannot listen on {options.host}:{options.port}: {_reason(problem)}", _FAILED)
        finally:
            await runner.cleanup()
        return 0

    return asyncio.run(run())


def _options(argv: list[str] | None) -> argparse.Namespace:
    """Reads the arguments; bad ones end the process with status 64."""
    parser = _Parser(prog="python -m sandbox", description="ISBNdb v2, Google Books v1 and Open Library on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--plan", choices=sorted(PLANS), default="premium", help="default: %(default)s")
    parser.add_argument("--catalog", type=Path, default=LOC, help="CSV with titles, authors and ISBNs")
    parser.add_argument("--latency-ms", type=_whole, default=0, help="added to every answer (default: %(default)s)")
    parser.add_argument("--key", action="append", help=f"a key to serve, repeatable (default: {DEFAULT_KEY})")
    parser.add_argument("--denied-key", action="append", default=[], help="a key to refuse with 403, repeatable")
    parser.add_argument("--per-second", type=_whole, help="calls in a second instead of the plan's; 0 is no limit")
    parser.add_argument("--per-day", type=_whole, help="calls in a day instead of the plan's; 0 is no limit")
    parser.add_argument("--author-total", action="store_true", help="let /author tell how many books there are")
    parser.add_argument("--bill-each-isbn", action="store_true", help="let a bulk look-up cost a call for each ISBN")
    google = parser.add_argument_group("Google Books")
    google.add_argument("--google-key", action="append", default=[], help="a key to serve, repeatable (default: any)")
    google.add_argument("--google-per-day", type=_whole, default=GOOGLE_PER_DAY, help="calls a key has; 0 is no limit")
    google.add_argument(
        "--google-keyless-per-day",
        type=_keyless,
        default=GOOGLE_PER_DAY,
        help="calls without a key; 0 is exhausted, as the real one mostly is; none is no limit (default: %(default)s)",
    )
    google.add_argument("--google-per-second", type=_whole, default=0, help="calls a key has; 0, the default, no limit")
    google.add_argument(
        "--google-spent-status", type=int, choices=(429, 403), default=429, help="how a spent quota is told"
    )
    parser.add_argument(
        "--open-library-per-second",
        type=_whole,
        default=OPEN_LIBRARY_PER_SECOND,
        help="calls of who names a contact in its User-Agent; 0 is no limit (default: %(default)s)",
    )
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends (Linux)")
    return parser.parse_args(argv)


def _served(address: str, settings: Settings, book_count: int) -> str:
    """All that is served, in one line without a key."""
    given = "the default one" if list(settings.keys) == [DEFAULT_KEY] else "as given"
    google = "keys as given" if settings.google_keys else "any key"
    keyless = settings.google_keyless_per_day
    without = "any number of" if keyless is None else str(keyless)
    return (
        f"ISBNdb v2 on {address}, plan {settings.plan.name}, {book_count} books, key {given}; "
        f"Google Books v1 on {address}{GOOGLE_PREFIX}, {google}, {without} calls a day without one; "
        f"Open Library on {address}, {settings.open_library_per_second or 'any number of'} calls a second"
    )


def _keyless(text: str) -> int | None:
    """A number from 0, or None for "none"."""
    return None if text == "none" else _whole(text)


def _whole(text: str) -> int:
    """A number from 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _port(text: str) -> int:
    """A port number."""
    if _whole(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to {_MAX_PORT})")
    return int(text)


def _reason(problem: OSError) -> str:
    """Why the address cannot be had, in the system's words."""
    return os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem)


def _complain(message: str, status: int) -> int:
    """Says one sentence on stderr."""
    sys.stderr.write(f"sandbox: {message}\n")
    return status


def _die_with_parent(parent: int) -> bool:
    """Asks the kernel, where it can be asked, for a SIGTERM when the parent ends; tells if that still lives.

    The kernel takes the thread that started this process for the parent, so a program must start it from a thread that
    lives as long as itself (prctl(2), PR_SET_PDEATHSIG).
    """
    if sys.platform != "linux":
        return True
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # A parent that ended before the request was made sends nothing any more.
    return os.getppid() == parent


if __name__ == "__main__":
    sys.exit(main())
