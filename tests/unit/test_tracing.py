"""Chains of calls: how they grow, and where they end."""

import pytest

from mesh.layers.tracing import checked
from mesh.status import FailedPreconditionError


def test_chain_grows() -> None:
    """The called service stands at the end."""
    assert checked(("warmer", "books"), "isbndb") == ("warmer", "books", "isbndb")


def test_fourth_service_is_refused() -> None:
    """A chain has three services at most."""
    with pytest.raises(FailedPreconditionError) as refused:
        checked(("a", "b", "c"), "d")
    assert (refused.value.reason, refused.value.metadata) == ("CALL_TOO_DEEP", {"depth": "4", "limit": "3"})


def test_circle_is_refused() -> None:
    """A service is in a chain once, and the error tells the chain."""
    with pytest.raises(FailedPreconditionError) as refused:
        checked(("a", "b"), "a")
    assert (refused.value.reason, refused.value.metadata) == ("CALL_CYCLE", {"chain": "a, b, a"})
