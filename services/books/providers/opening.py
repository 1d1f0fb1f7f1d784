"""What a provider over HTTP is opened with: the only place that gives it line, breaker, keys and ledger."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import structlog

from mesh.background import Background
from mesh.breaker import Breaker, BreakerState, Event
from mesh.config.breaker_settings import BreakerSettings
from mesh.quota.account import Account
from mesh.quota.key_ring import KeyRing
from services.books.env import Env
from services.books.providers.caller import Caller
from services.books.providers.faults import Faults
from services.books.providers.http import METHOD, Line
from services.books.settings import Settings
from services.books.spelling import Vocabulary

_log = structlog.get_logger("services.books")


@dataclass(slots=True, kw_only=True)
class Opening:
    """Providers being opened."""

    env: Env
    """The bindings."""
    settings: Settings
    """The settings, checked."""
    session: aiohttp.ClientSession
    """What their calls go out through."""
    background: Background
    """Where they work on what no call waits for to its end."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, never going back."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """The accounts so far, by what people call them."""
    callers: dict[str, Caller] = field(default_factory=dict)
    """What makes the calls of each provider so far, by its name."""

    def vocabulary(self) -> Vocabulary:
        """Words that are known, none of a book so far."""
        return Vocabulary(self.background, self.env.MESH.turns)

    def caller(
        self,
        faults: Faults,
        *,
        base_url: str,
        accounts: Mapping[str, Account],
        headers: Callable[[Account], Mapping[str, str]],
        secret: str = "",
    ) -> Caller:
        """A provider's line with its breaker, behind its accounts.

        Args:
            faults: its failures; its name in capitals is what operators call its breaker by.
            base_url: where it answers.
            accounts: its keys by what people call them, in the order in which they are used.
            headers: as Caller has it.
            secret: as Caller has it.
        """
        self.accounts |= accounts
        binding = faults.provider.upper()

        def tell(event: Event) -> None:
            log = _log.info if event.new is BreakerState.CLOSED else _log.warning
            log(
                "breaker_moved", binding=binding, method=METHOD, old=event.old.value, new=event.new.value, why=event.why
            )

        breaker = Breaker(BreakerSettings(), self.clock, random.random, tell)
        self.env.MESH.breakers.add(binding, METHOD, breaker)
        self.callers[faults.provider] = Caller(
            Line(self.session, base_url=base_url, faults=faults, breaker=breaker, clock=self.clock),
            KeyRing(tuple(accounts.values()), self.env.MESH.ledger, clock=self.clock),
            self.env.MESH.ledger,
            headers=headers,
            secret=secret,
            clock=self.clock,
        )
        return self.callers[faults.provider]
