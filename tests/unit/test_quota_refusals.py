import pytest

from mesh.quota import refusals
from mesh.quota.account import Account
from mesh.secrets import Secret
from mesh.status import ResourceExhaustedError

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

BATCH = """the day's calls to Google Books that batch work may make are spent until 2026-01-01T12:00:00Z, \
for 9 are kept for people"""

ACCOUNT = Account(
    provider="google", name="Google Books", key=Secret("KEY", "canary-4711"), calls_per_second=2.0, calls_per_day=1_000
)


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (
            refusals.turn_too_late(ACCOUNT, 2.0, 1.5),
            "PROVIDER_RATE_LIMITED",
            "the rate that Google Books allows lets this call begin in 2000 ms, but it has 1500 ms left",
        ),
        (
            refusals.slow_down("google", "Google Books", 1.0),
            "PROVIDER_RATE_LIMITED",
            "Google Books asked us to slow down",
        ),
        (
            refusals.quota_spent(ACCOUNT, NOON + 43_200, NOON),
            "QUOTA_SPENT",
            "the day's calls to Google Books are spent until 2026-01-02T00:00:00Z",
        ),
        (
            refusals.quota_spent(ACCOUNT, NOON, NOON, kept=9),
            "QUOTA_SPENT",
            BATCH,
        ),
    ],
)
def test_sentences(error: ResourceExhaustedError, reason: str, message: str) -> None:
    """A refusal names the provider, what is used up and until when, and nothing of the key."""
    assert (error.reason, error.message, error.metadata["provider"]) == (reason, message, "google")


@pytest.mark.parametrize(("kept", "expected"), [(0, False), (1, True)])
def test_refusal_of_batch_work_alone(kept: int, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whether people might still call is read from the refusal, over the wire too."""
    error = refusals.quota_spent(ACCOUNT, NOON + 43_200, NOON, kept=kept)
    assert refusals.is_for_batch_alone(error) == expected


def test_reset_that_has_passed() -> None:
    """A reset that has just passed lets one come back at once, not in the past."""
    assert refusals.quota_spent(ACCOUNT, NOON, NOON + 1).retry_after_s == 0.0
