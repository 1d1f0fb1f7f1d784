"""How many second tries a binding may make."""

from mesh.retry_budget import RetryBudget
from mesh.testing import FakeClock


def made(share: float = 0.2, least: int = 3) -> tuple[RetryBudget, FakeClock]:
    """A budget and its clock."""
    clock = FakeClock()
    return RetryBudget(share, least, clock), clock


def granted(budget: RetryBudget, wanted: int = 1_000) -> int:
    """How many second tries are granted at once."""
    return sum(budget.spend() for _ in range(wanted))


def test_a_few_are_always_allowed() -> None:
    """Who never called before may try again three times."""
    assert granted(made()[0]) == 3


def test_share_of_the_calls() -> None:
    """A fifth of the calls of the last ten seconds may be tried again, spread over those seconds or not."""
    budget, clock = made()
    for _ in range(10):
        for _ in range(10):
            budget.count()
        clock.advance(0.9)
    assert granted(budget) == 20


def test_spent_tries_are_remembered() -> None:
    """What was spent stays spent while it is in the window."""
    budget, clock = made(least=0)
    for _ in range(50):
        budget.count()
    first = granted(budget)
    clock.advance(5)
    assert (first, granted(budget)) == (10, 0)


def test_all_is_forgotten_after_the_window() -> None:
    """Ten seconds later neither calls nor tries count, but for those that are always allowed."""
    budget, clock = made()
    for _ in range(100):
        budget.count()
    assert granted(budget) == 20
    clock.advance(11)
    assert granted(budget) == 3


def test_storm() -> None:
    """In ten seconds in which every call fails, there are never more than a fifth again of second tries."""
    budget, clock = made()
    calls = tries = 0
    for _ in range(200):
        for _ in range(5):
            budget.count()
            calls += 1
            tries += budget.spend()
        clock.advance(0.05)
    assert tries <= 0.2 * calls + 3


def test_no_budget() -> None:
    """A budget of nothing allows nothing."""
    budget, _ = made(share=0, least=0)
    budget.count()
    assert granted(budget) == 0
