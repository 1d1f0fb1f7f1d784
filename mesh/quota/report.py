"""How the counts of an account are told to operators: the only place that makes a KeyQuota."""

from collections.abc import Mapping

from bookmesh.mesh.v1.quota_pb2 import QUOTA_SCOPE_PROCESS, QUOTA_SCOPE_SHARED, KeyQuota

from mesh.quota.account import Account
from mesh.quota.ledger import Ledger, Usage


def key_quota(account: Account, label: str, usage: Usage) -> KeyQuota:
    """The counts of an account as the contract tells them.

    Args:
        account: whose they are.
        label: what people call its key, such as the binding's name; never the key.
        usage: its counts.
    """
    quota = KeyQuota(
        provider=account.provider,
        key=label,
        calls_per_second=usage.calls_per_second,
        day_limit=usage.day_limit,
        day_used=usage.day_used,
        live_reserve=usage.reserve,
        exhausted=usage.exhausted,
        scope=QUOTA_SCOPE_SHARED if usage.shared else QUOTA_SCOPE_PROCESS,
    )
    quota.reset_time.FromMicroseconds(round(usage.reset_at * 1e6))
    return quota


async def key_quotas(ledger: Ledger, accounts: Mapping[str, Account]) -> list[KeyQuota]:
    """The counts of several accounts by label, in order."""
    return [key_quota(account, label, await ledger.usage(account)) for label, account in accounts.items()]
