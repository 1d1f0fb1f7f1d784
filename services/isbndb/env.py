"""What the leaf is bound to: two keys, its settings, and no other service."""

from dataclasses import dataclass

from mesh.introspection import Introspection
from mesh.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """The bindings of isbndb-biography-worker; `services.isbndb.plans.terms_of` says what the numbers may be."""

    ISBNDB_API_KEY: Secret | None
    """The key of the ISBNdb account; without any key every call that needs ISBNdb fails with SECRET_MISSING."""
    RATE_LIMIT_MS: int
    """Milliseconds that lie at least between the starts of two calls with one key; a slower plan wins."""
    MAX_BOOKS_PER_AUTHOR: int
    """Editions that one page of a bibliography holds at most, 1 to 1,000."""
    MESH: Introspection
    """The service's own runtime."""
    ISBNDB_URL: str = ""
    """Where ISBNdb answers, instead of the plan's own host: the sandbox, say."""
    ISBNDB_PLAN: str = "basic"
    """The subscription: "basic", "premium", "pro" or "enterprise"."""
    ISBNDB_CALLS_PER_SECOND: float = 0.0
    """Calls that the plan allows a second; 0 takes the plan's known figure."""
    ISBNDB_CALLS_PER_DAY: int = -1
    """Calls that the plan allows a day, 0 for no limit; -1 takes the plan's known figure."""
    ISBNDB_ISBNS_PER_CALL: int = 0
    """ISBNs that one bulk look-up may carry; 0 takes the plan's known figure."""
    ISBN_SEARCH_KEY: Secret | None = None
    """A second key of the same plan, used when the first one's day is spent or the first one is refused."""
    QUOTA_LIVE_RESERVE: float = 0.1
    """The share of a day's calls that batch work leaves to live searches, 0 to 1."""
