from bookmesh.mesh.v1.quota_pb2 import QUOTA_SCOPE_PROCESS, QUOTA_SCOPE_SHARED, KeyQuota
from google.protobuf.timestamp_pb2 import Timestamp

from mesh.quota.account import Account
from mesh.quota.ledger import LocalLedger, Usage
from mesh.quota.report import key_quota, key_quotas
from mesh.secrets import Secret
from mesh.testing import FakeClock

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

ACCOUNT = Account(
    provider="provider", name="Provider", key=Secret("KEY", "canary-4711"), calls_per_second=2.0, calls_per_day=100
)


def test_quota_of_a_key() -> None:
    """All that is known of an account is told, with a name for its key and nothing of the key itself."""
    usage = Usage(
        day_used=7,
        day_limit=100,
        reserve=10,
        reset_at=NOON + 43_200,
        now=NOON,
        exhausted=True,
        calls_per_second=2.0,
        wait_s=0.5,
        shared=True,
    )
    quota = key_quota(ACCOUNT, "PROVIDER_KEY", usage)
    expected = KeyQuota(
        provider="provider",
        key="PROVIDER_KEY",
        calls_per_second=2.0,
        day_limit=100,
        day_used=7,
        live_reserve=10,
        reset_time=Timestamp(seconds=int(NOON) + 43_200),
        scope=QUOTA_SCOPE_SHARED,
        exhausted=True,
    )
    assert (quota == expected, "canary" in str(quota)) == (True, False)


async def test_quotas_of_keys() -> None:
    """The accounts of a service are told in its order, with what the ledger has counted of each."""
    ledger = LocalLedger(clock=FakeClock(NOON), monotonic=FakeClock(NOON))
    keyless = Account(provider="other", name="Other", key=None, calls_per_second=3.0, calls_per_day=0)
    await ledger.take(keyless, batch=False, left_s=1.0)
    quotas = await key_quotas(ledger, {"PROVIDER_KEY": ACCOUNT, "keyless": keyless})
    told = [(quota.provider, quota.key, quota.day_used, quota.scope) for quota in quotas]
    assert told == [
        ("provider", "PROVIDER_KEY", 0, QUOTA_SCOPE_PROCESS),
        ("other", "keyless", 1, QUOTA_SCOPE_PROCESS),
    ]
