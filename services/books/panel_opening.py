"""The only place that knows which providers there are, and opens the panel of those that the settings name."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mesh.background import Background
from mesh.call import Clock
from mesh.quota.account import Account
from services.books.bibliographers import Bibliographers
from services.books.env import Env
from services.books.panel import Panel, Policy
from services.books.providers import google_books, open_library
from services.books.providers.google_bibliography import GoogleBibliography
from services.books.providers.http import open_session
from services.books.providers.isbndb import Isbndb
from services.books.providers.isbndb_bibliography import IsbndbBibliography
from services.books.providers.open_library_bibliography import OpenLibraryBibliography
from services.books.providers.opening import Opening
from services.books.providers.protocol import Bibliographer, Provider
from services.books.settings import Settings

PROVIDERS: Mapping[str, Callable[[Opening], Provider]] = {
    "isbndb": lambda opening: Isbndb(opening.env.ISBNDB_WORKER, opening.vocabulary()),
    "google_books": google_books.opened,
    "open_library": open_library.opened,
}
"""How each provider is opened. One more is a file beside theirs and a line here."""

BIBLIOGRAPHERS: Mapping[str, Callable[[Opening], Bibliographer]] = {
    "isbndb": lambda opening: IsbndbBibliography(opening.env.ISBNDB_WORKER, clock=opening.clock),
    "google_books": lambda opening: GoogleBibliography(opening.callers["google_books"]),
    "open_library": lambda opening: OpenLibraryBibliography(opening.callers["open_library"]),
}
"""How the same provider, once it is opened, lists an author's works; one that can't has no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The panel, and whose calls it spends."""

    panel: Panel
    """Asks the providers."""
    bibliographers: Bibliographers
    """Asks them for an author's works."""
    accounts: Mapping[str, Account]
    """The accounts that the proxy itself calls with, by what people call them."""


@asynccontextmanager
async def open_panel(env: Env, settings: Settings, *, monotonic: Clock = time.monotonic) -> AsyncIterator[Opened]:
    """Opens the providers that the settings name, and closes what they hold.

    Args:
        env: the bindings; the breakers of the providers are made known to its MESH.
        settings: the settings, checked.
        monotonic: seconds, never going back.
    """
    async with open_session() as session, Background() as background:
        opening = Opening(env=env, settings=settings, session=session, background=background, clock=monotonic)
        providers = {name: PROVIDERS[name](opening) for name in settings.providers}
        policy = Policy(
            order=settings.providers,
            batch_order=settings.batch_providers,
            wait_s=settings.provider_wait_s,
            head_start_s=settings.head_start_s,
        )
        listing = {name: BIBLIOGRAPHERS[name](opening) for name in settings.providers if name in BIBLIOGRAPHERS}
        yield Opened(
            panel=Panel(providers, policy, clock=monotonic),
            bibliographers=Bibliographers(listing, settings.batch_providers, clock=monotonic),
            accounts=opening.accounts,
        )
