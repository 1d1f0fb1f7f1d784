"""The only place that words why a call to a provider may not begin now: the day is spent, or its turn is too late."""

from datetime import UTC, datetime

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_RATE_LIMITED, ERROR_REASON_QUOTA_SPENT

from mesh.quota.account import Account
from mesh.status import ResourceExhaustedError

QUOTA_SPENT = "QUOTA_SPENT"
"""The reason of a call that the day no longer holds, as errors bear it."""

RATE_LIMITED = "PROVIDER_RATE_LIMITED"
"""The reason of a call that would be too fast, as errors bear it."""


_KEPT = "kept"
"""In the metadata of a refusal, the calls that are left and kept from batch work."""


def turn_too_late(account: Account, wait_s: float, left_s: float) -> ResourceExhaustedError:
    """So many calls wait for their turn that this one's time would be over before it began."""
    wait_ms, left_ms = str(round(wait_s * 1000)), str(round(left_s * 1000))
    return ResourceExhaustedError(
        ERROR_REASON_PROVIDER_RATE_LIMITED,
        f"the rate that {account.name} allows lets this call begin in {wait_ms} ms, but it has {left_ms} ms left",
        retry_after_s=wait_s,
        metadata={"provider": account.provider, "wait_ms": wait_ms, "left_ms": left_ms},
    )


def slow_down(provider: str, name: str, retry_after_s: float) -> ResourceExhaustedError:
    """The provider itself has said, with HTTP's 429, that calls come too fast.

    Args:
        provider: its name in errors.
        name: its name for people.
        retry_after_s: the pause that it asks for.
    """
    return ResourceExhaustedError(
        ERROR_REASON_PROVIDER_RATE_LIMITED,
        f"{name} asked us to slow down",
        retry_after_s=retry_after_s,
        metadata={"provider": provider, "http_status": "429"},
    )


def is_for_batch_alone(error: ResourceExhaustedError) -> bool:
    """Whether a call was refused for being batch work, where one that somebody waits for would have been let go."""
    return error.reason == QUOTA_SPENT and _KEPT in error.metadata


def quota_spent(account: Account, reset_at: float, now: float, *, kept: int = 0) -> ResourceExhaustedError:
    """The day's calls are used up, as far as this class of work may use them.

    Args:
        account: whose they are.
        reset_at: when the next day begins, in seconds since the epoch.
        now: the time, in seconds since the epoch.
        kept: calls that are left, and are kept from batch work for people.
    """
    reset = datetime.fromtimestamp(reset_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    whose = " that batch work may make" if kept else ""
    left = f", for {kept} are kept for people" if kept else ""
    return ResourceExhaustedError(
        ERROR_REASON_QUOTA_SPENT,
        f"the day's calls to {account.name}{whose} are spent until {reset}{left}",
        retry_after_s=max(0.0, reset_at - now),
        metadata={"provider": account.provider, "reset_time": reset, **({_KEPT: str(kept)} if kept else {})},
    )
