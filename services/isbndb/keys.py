"""The keys that the leaf has for ISBNdb, as accounts: the only place that knows which bindings may hold one."""

from mesh.quota.account import Account
from mesh.secrets import Secret
from services.isbndb.env import Env
from services.isbndb.faults import NAME, PROVIDER
from services.isbndb.plans import Terms


def keys_of(env: Env) -> list[Secret]:
    """The keys that are set, in the order in which they are used."""
    return [key for key in (env.ISBNDB_API_KEY, env.ISBN_SEARCH_KEY) if key is not None]


def account_of(terms: Terms, key: Secret | None) -> Account:
    """What the plan allows a key; ISBNdb's day is one of UTC."""
    return Account(
        provider=PROVIDER,
        name=NAME,
        key=key,
        calls_per_second=1 / terms.interval_s,
        calls_per_day=terms.calls_per_day,
        live_reserve=terms.live_reserve,
    )
