from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE, ERROR_REASON_SECRET_MISSING

from mesh.status import FailedPreconditionError, MeshError, UnavailableError
from mesh.testing import FakeClock
from services.books.answers import Answer
from services.books.bibliographers import LIVE_S, PATIENT_S, Bibliographers
from services.books.panel import RESERVE_S
from services.books.providers.protocol import Found

DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "it is down")
UNSET = FailedPreconditionError(ERROR_REASON_SECRET_MISSING, "no key")


@dataclass(slots=True)
class Listing:
    """A provider that lists nothing, or fails, and remembers how it was asked."""

    name: str
    failure: MeshError | None = None
    asked: list[tuple[str, str, float | None, bool]] = field(default_factory=list)

    async def bibliography(
        self, author: str, *, language: str, limit_s: float | None = None, batch: bool = False
    ) -> Found:
        """Nothing, or the failure."""
        self.asked.append((author, language, limit_s, batch))
        if self.failure is not None:
            raise self.failure
        return Found(call_count=1)


async def told(
    providers: Sequence[Listing], batch_order: Sequence[str] = (), *, patient: bool = False, left_s: float | None = None
) -> Sequence[Answer]:
    """What became of each."""
    asking = Bibliographers({each.name: each for each in providers}, batch_order, clock=FakeClock())
    return await asking.ask("Frank Herbert", "en", patient=patient, left_s=left_s)


async def test_all_are_asked() -> None:
    """While somebody waits all are asked, and a failure of one holds up no other."""
    first, second, third = Listing("first"), Listing("second", failure=DOWN), Listing("third")
    answers = await told([first, second, third])
    assert [(each.provider, bool(each.found), each.error) for each in answers] == [
        ("first", True, None),
        ("second", False, DOWN),
        ("third", True, None),
    ]
    assert [each.asked for each in (first, second, third)] == [[("Frank Herbert", "en", LIVE_S, False)]] * 3


@pytest.mark.parametrize(("left_s", "expected"), [(None, LIVE_S), (30.0, LIVE_S), (2.0, 2.0 - RESERVE_S), (0.01, 0.0)])
async def test_time(left_s: float | None, expected: float) -> None:
    """A provider has what its caller has left, less what the answer takes, and never more than its own limit."""
    provider = Listing("first")
    await told([provider], left_s=left_s)
    assert [each[2] for each in provider.asked] == [expected]


async def test_batch_asks_one() -> None:
    """Work that nobody waits for asks the first of its own order, in its own time, and names the rest as skipped."""
    first, second, third = Listing("first"), Listing("second"), Listing("third")
    answers = await told([first, second, third], ["third", "first"], patient=True, left_s=1.0)
    assert [each.skipped for each in answers] == [True, True, False]
    assert (first.asked, second.asked, third.asked) == ([], [], [("Frank Herbert", "en", PATIENT_S, True)])


@pytest.mark.parametrize(("failure", "asks_next"), [(UNSET, True), (DOWN, False)])
async def test_batch_asks_another_where_one_is_not_set_up(
    failure: MeshError,
    asks_next: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The next is asked where the first is not set up at all, and not where it failed."""
    first, second = Listing("first", failure=failure), Listing("second")
    await told([first, second], ["first", "second"], patient=True)
    assert bool(second.asked) == asks_next
