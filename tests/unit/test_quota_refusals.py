import pytest

from mesh.quota import refusals
from mesh.quota.account import Account
from mesh.secrets import Secret
from mesh.status import ResourceExhaustedError

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

ACCOUNT = Account(
    provider="google", name="Google Books", key=Secret("KEY", "canary-4711"), calls_per_second=2.0, calls_per_day=1_000
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            refusals.turn_too_late(ACCOUNT, 2.0, 1.5),
            "RESOURCE_EXHAUSTED PROVIDER_RATE_LIMITED: "
            + "the rate that Google Books allows lets this call begin in 2000 ms, but it has 1500 ms left",
        ),
        (
            refusals.slow_down("google", "Google Books", 1.0),
            "RESOURCE_EXHAUSTED PROVIDER_RATE_LIMITED: Google Books asked us to slow down",
        ),
        (
            refusals.quota_spent(ACCOUNT, NOON + 43_200, NOON),
            "RESOURCE_EXHAUSTED QUOTA_SPENT: the day's calls to Google Books are spent until 2026-01-02T00:00:00Z",
        ),
        (
            refusals.quota_spent(ACCOUNT, NOON + 43_200, NOON, kept=100),
            "RESOURCE_EXHAUSTED QUOTA_SPENT: the day's calls to Google Books that batch work may make "
            + "are spent until 2026-01-02T00:00:00Z, for 100 are kept for people",
        ),
    ],
)
def test_sentences(error: ResourceExhaustedError, expected: str) -> None:
    """A refusal names the provider, what is used up and until when, and nothing of the key."""
    assert (str(error), error.metadata["provider"]) == (expected, "google")


@pytest.mark.parametrize(("kept", "expected"), [(0, False), (1, True)])
def test_refusal_of_batch_work_alone(kept: int, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whether people might still call is read from the refusal, over the wire too."""
    error = refusals.quota_spent(ACCOUNT, NOON + 43_200, NOON, kept=kept)
    assert refusals.is_for_batch_alone(error) == expected


def test_reset_that_has_passed() -> None:
    """A reset that has just passed lets one come back at once, not in the past."""
    assert refusals.quota_spent(ACCOUNT, NOON, NOON + 1).retry_after_s == 0.0
