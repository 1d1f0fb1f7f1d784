"""The only place that knows what the searches of one batch have in common: the authors that they are asked of."""

from collections.abc import Awaitable, Hashable

from services.books.checks import Ask
from services.books.hints import author_of
from services.books.likeness import printed_name_key
from services.books.panel import PATIENT_S, Lookup
from services.books.providers.protocol import AuthorProvider, Authors, Found, Provider


class Sharing:
    """What the searches of one batch are asked for together. A search by itself is a batch of one."""

    def __init__(self) -> None:
        self._authors: dict[str, Authors] = {}

    def lookup(self, ask: Ask) -> Lookup | None:
        """How a provider is asked for a search that says what its text is; None for one that does not."""
        hint = ask.hint
        if hint is None:
            return None

        def lookup(provider: Provider) -> Awaitable[Found] | None:
            if not isinstance(provider, AuthorProvider):
                return None
            if provider.name not in self._authors:
                self._authors[provider.name] = provider.authors()
            return self._authors[provider.name].find(ask.query, hint, limit_s=PATIENT_S)

        return lookup


def shared_by(ask: Ask) -> tuple[Hashable, ...]:
    """Equal for searches that one call may answer, so that they are asked one after the other; () for none of them."""
    author = author_of(ask.query, ask.hint) if ask.hint is not None else ""
    return (printed_name_key(author), ask.query.language, ask.query.include_translations) if author else ()
