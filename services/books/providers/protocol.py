"""What the proxy asks of a provider. Another one is another file here and another line in `opening.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError
from services.books.hints import Hint
from services.books.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a provider answered; none is an answer as well. Whoever gets one only reads it."""

    works: Sequence[Work] = ()
    """The works, in the provider's order."""
    call_count: int = 0
    """Calls that it cost."""
    failure: MeshError | None = None
    """Why a part of what was asked was not answered, so that there may be more."""
    gaps: Sequence[str] = ()
    """What is known to be missing though everything was answered, in sentences for people."""
    names: Sequence[str] = ()
    """What an author is called on the works, where that is not the name that was asked for."""


class Provider(Protocol):
    """One provider. Whatever goes wrong with it comes as a MeshError; nothing foreign gets past its file."""

    name: str
    """Lower snake case, as editions and outcomes name it."""

    async def find(self, query: Query, *, limit_s: float | None = None, batch: bool = False) -> Found:
        """The books of an ISBN or of a text.

        Args:
            query: what is sought.
            limit_s: seconds that it may take; None leaves it to the provider.
            batch: nobody waits for it, so it leaves the provider's calls that are kept for people alone.

        Raises:
            MeshError: it failed, so that nothing can be said of what it has.
        """


@runtime_checkable
class BulkProvider(Provider, Protocol):
    """A provider that looks many ISBNs up at once."""

    async def find_isbns(self, isbns: Sequence[str], *, limit_s: float | None = None) -> Mapping[str, Found]:
        """What it has of each ISBN-13, in as few calls as it can; the first carries what the calls cost.

        Args:
            isbns: at most 1,000 of them, each once.
            limit_s: as in `find`.

        Raises:
            MeshError: it failed, so that nothing can be said of any of them.
        """


@runtime_checkable
class AuthorProvider(Provider, Protocol):
    """A provider that is asked for an author by name alone, where it is known that a text names one."""

    def authors(self) -> "Authors":
        """Authors that are asked for by one batch."""


class Authors(Protocol):
    """Authors of one batch, each asked for once, however many searches want their books."""

    async def find(self, query: Query, hint: Hint, *, limit_s: float | None = None) -> Found:
        """The books of an author, or of those the ones of a title; nobody waits for them.

        Whoever is answered first carries what the author cost. One whose author could not be asked for fails, and the
        next asks again.

        Args:
            query: a text.
            hint: what it is known to be.
            limit_s: as in `Provider.find`.

        Raises:
            MeshError: as `Provider.find`.
        """


class Bibliographer(Protocol):
    """A provider that lists what an author wrote."""

    name: str
    """As `Provider.name`."""

    async def bibliography(
        self, author: str, *, language: str, limit_s: float | None = None, batch: bool = False
    ) -> Found:
        """What it has of an author; works of others may be among it.

        Args:
            author: the name, first name first.
            language: a primary subtag; works whose language is not known are wanted as well.
            limit_s: seconds that all of its calls may take together; None leaves it to the provider. What had come
                by then is given, with the failure.
            batch: nobody waits for it.

        Raises:
            MeshError: it failed, so that nothing can be said of what it has.
        """
