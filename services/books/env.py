"""What the proxy is bound to: the leaf, two stores, the providers' keys, and its settings."""

from dataclasses import dataclass

from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub

from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stores.protocol import Bucket, Kv


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """The bindings of books-api-proxy; `services.books.settings.settings_of` says what the numbers may be."""

    ISBNDB_WORKER: IsbndbServiceStub
    """The leaf that speaks to ISBNdb."""
    CACHE: Kv
    """The hot tier."""
    API_CACHE_COLD: Bucket
    """The cold tier."""
    GOOGLE_BOOKS_API_KEY: Secret | None
    """The first key of Google Books; without any it answers while the quota lasts that all share who have none."""
    GOOGLE_BOOKS_IOSKEY: Secret | None
    """The second key of Google Books, for when the first one's quota is spent."""
    ISBNDB_API_KEY: Secret | None
    """The key of ISBNdb, which the leaf uses; the proxy only tells whether it is set."""
    ISBN_SEARCH_KEY: Secret | None
    """The second key of ISBNdb, which the leaf uses; the proxy only tells whether it is set."""
    CACHE_HOT_TTL: int
    """Seconds that an answer lies in the hot tier."""
    CACHE_COLD_TTL: int
    """Seconds that an answer counts as fresh, wherever it lies."""
    MAX_RESULTS_DEFAULT: int
    """Works in an answer to a search that does not say how many, 1 to 100."""
    RATE_LIMIT_MS: int
    """Milliseconds between two calls to a provider that the proxy itself speaks to; the leaf keeps its own."""
    MESH: Introspection
    """The service's own runtime."""
    CACHE_PATIENCE_MS: int = 25
    """Milliseconds that a search waits for a tier before it does without."""
    CACHE_MEMORY_BYTES: int = 64 * 1024 * 1024
    """Bytes that answers may take in the memory of the process."""
    CACHE_MEMORY_TTL: int = 300
    """Seconds that an answer lies in memory."""
    CACHE_NEGATIVE_TTL: int = 600
    """Seconds that "nothing found" counts as fresh."""
    CACHE_WARMED_NEGATIVE_TTL: int = 86_400
    """The same where work found it that nobody waits for: that work and only_if_cached believe it for so long."""
    CACHE_PARTIAL_TTL: int = 60
    """Seconds that an answer counts as fresh to which a provider gave nothing."""
    CACHE_STALE_WHILE_REVALIDATE: int = 86_400
    """Seconds past its time that an answer is given while it is refreshed."""
    CACHE_STALE_IF_ERROR: int = 30 * 86_400
    """Seconds past its time that an answer is given where the providers fail."""
    PROVIDERS: str = "isbndb,google_books,open_library"
    """Whom searches may ask, the most trusted first."""
    BATCH_PROVIDERS: str = "isbndb,open_library"
    """Whom work may ask that nobody waits for: the first of them, and the next where that one is not set up."""
    PROVIDER_WAIT_MS: int = 2_500
    """Milliseconds that a search waits for the other providers once one has found something."""
    ISBN_HEAD_START_MS: int = 400
    """Milliseconds that the first provider has for the book of an ISBN before the others are asked as well."""
    GOOGLE_BOOKS_URL: str = ""
    """Where Google Books answers, instead of its own host: the sandbox, say."""
    GOOGLE_BOOKS_CALLS_PER_DAY: int = 1_000
    """Calls that Google Books allows each key a day; 0 for no limit."""
    OPEN_LIBRARY_URL: str = ""
    """Where Open Library answers, instead of its own host."""
    OPEN_LIBRARY_CONTACT: str = ""
    """An address that Open Library may write to; whoever names none gets one call a second instead of three."""
    OPEN_LIBRARY_CALLS_PER_SECOND: float = 0.0
    """Calls that Open Library allows a second; 0 takes what it is known to allow, with a contact and without."""
    QUOTA_LIVE_RESERVE: float = 0.1
    """The share of each day's calls that work which nobody waits for leaves to people, 0 to 1."""
