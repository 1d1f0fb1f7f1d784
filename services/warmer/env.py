"""What the warmer is bound to: the proxy that it warms, the leaf, two stores, a key, and its settings."""

from dataclasses import dataclass

from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub as BooksAdminStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceStub as IsbndbAdminStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub

from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stores.protocol import Bucket, Kv


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """The bindings of personal-library-cache-warmer; `services.warmer.settings` says what the numbers may be."""

    BOOKS_API_PROXY: BooksServiceStub
    """The proxy, which answers the searches and alone writes the cache."""
    ISBNDB_WORKER: IsbndbServiceStub
    """The leaf; what it knows reaches the cache by way of the proxy alone."""
    BOOKS_ADMIN: BooksAdminStub
    """The proxy's Admin entrypoint, which tells what lies in each tier."""
    ISBNDB_ADMIN: IsbndbAdminStub
    """The leaf's Admin entrypoint, which tells what its plan allows and what of it is left."""
    WARMING_CACHE: Kv
    """Jobs and how far they have come."""
    LIBRARY_DATA: Bucket
    """Uploaded libraries."""
    ISBNDB_API_KEY: Secret | None
    """The key of ISBNdb; declared by the original and unused, for only the leaf speaks to ISBNdb."""
    MESH: Introspection
    """The service's own runtime."""
    MAX_LIBRARY_BYTES: int = 512 * 1024 * 1024
    """Bytes that a library may have."""
    MAX_LIBRARY_ROWS: int = 1_000_000
    """Rows that a library may have."""
    MICRO_BATCH_SEARCHES: int = 1_000
    """Searches that are looked at every quarter of an hour, about."""
    VERIFY_SAMPLE: int = 200
    """Keys of each library that are looked at every night."""
    REFRESH_AHEAD_S: int = 86_400
    """Seconds that an answer must stay fresh yet to be left alone: until the next night."""
    WARM_CONCURRENCY: int = 2
    """Batches that are under way in a process at a time; the provider's rate is what limits, so a few keep it busy."""
