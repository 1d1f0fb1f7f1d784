"""Retries, hedges and the deadline economy, the same on every transport."""

import asyncio
import time

import pytest

from mesh.call import CURRENT, Call, Side
from mesh.config.binding_settings import BindingSettings, HedgeSettings, RetrySettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.status import DeadlineExceededError, MeshError, UnavailableError
from tests.contract.transports.conftest import Rebind

QUICK = RetrySettings(backoff_ms=1, longest_backoff_ms=1)
PATIENT = BreakerSettings(consecutive_failures=0, failure_rate=0)


async def test_reads_are_tried_again(rebind: Rebind) -> None:
    """A method that the contract calls repeatable is tried again, and its caller never hears of the failure."""
    bound = rebind(BindingSettings(retry=QUICK))
    answer = await bound.stub.One(bound.pb2.EchoRequest(text="down twice"))
    (record,) = bound.journal
    assert (answer.text, bound.seen.calls, record.attempts, [what for what, _ in record.notes]) == (
        "down twice",
        3,
        3,
        ["retried", "retried"],
    )


async def test_last_attempt(rebind: Rebind) -> None:
    """After the last attempt the failure reaches the caller, with the number of tries in its trail."""
    bound = rebind(BindingSettings(retry=QUICK))
    with pytest.raises(UnavailableError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="down at once"))
    assert (bound.seen.calls, [hop.attempts for hop in caught.value.trail]) == (3, [3])


async def test_writes_are_not_tried_again(rebind: Rebind) -> None:
    """A method of which the contract promises nothing is called once."""
    bound = rebind(BindingSettings(retry=QUICK))
    with pytest.raises(UnavailableError):
        await bound.stub.Write(bound.pb2.EchoRequest(text="down twice"))
    assert bound.seen.calls == 1


@pytest.mark.parametrize("text", ["not found", "invalid", "bug"])
async def test_what_another_try_can_not_mend(rebind: Rebind, text: str) -> None:
    """Only UNAVAILABLE and CANCELLED are worth another try."""
    bound = rebind(BindingSettings(retry=QUICK))
    with pytest.raises(MeshError):
        await bound.stub.One(bound.pb2.EchoRequest(text=text))
    assert bound.seen.calls == 1


async def test_callee_that_gives_up(rebind: Rebind) -> None:
    """A call that its callee cancelled, as one that drains does, is tried again."""
    bound = rebind(BindingSettings(retry=QUICK))
    with pytest.raises(MeshError):
        await bound.stub.One(bound.pb2.EchoRequest(text="self-cancel"))
    assert bound.seen.calls == 3


async def test_pushback_is_honoured(rebind: Rebind) -> None:
    """A callee that asks for more time than the call has is left alone, and the caller hears of it at once."""
    bound = rebind(BindingSettings(retry=QUICK))
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        await bound.stub.One(bound.pb2.EchoRequest(text="down"), timeout=1)
    (record,) = bound.journal
    assert (bound.seen.calls, time.monotonic() - started < 0.5, record.notes) == (
        1,
        True,
        (("not_retried", "PROVIDER_UNAVAILABLE: there is no time for it"),),
    )


async def test_budget(rebind: Rebind) -> None:
    """Second tries end with the budget: three for who calls seldom, and then one in five calls."""
    bound = rebind(BindingSettings(retry=QUICK, breaker=PATIENT))
    for _ in range(20):
        with pytest.raises(UnavailableError):
            await bound.stub.One(bound.pb2.EchoRequest(text="down at once"))
    assert bound.seen.calls == 24


async def test_chain_does_not_multiply(rebind: Rebind) -> None:
    """What answers a second try is itself not tried again."""
    bound = rebind(BindingSettings(retry=QUICK))
    answered = Call(None, Side.SERVER)  # type: ignore[arg-type]  # nothing asks what it calls
    answered.attempt = 2
    token = CURRENT.set(answered)
    with pytest.raises(UnavailableError):
        await bound.stub.One(bound.pb2.EchoRequest(text="down at once"))
    CURRENT.reset(token)
    assert bound.seen.calls == 1


async def test_failure_from_further_down(rebind: Rebind) -> None:
    """What failed further down is tried again there or nowhere: each hop has a budget, and they must not add up."""
    bound = rebind(BindingSettings(retry=QUICK))
    with pytest.raises(UnavailableError):
        await bound.stub.One(bound.pb2.EchoRequest(text="down below"))
    assert bound.seen.calls == 1


async def test_stream_that_began(rebind: Rebind) -> None:
    """A stream is not begun again once its caller has seen a response."""
    bound = rebind(BindingSettings(retry=QUICK))
    call = bound.stub.Many(bound.pb2.EchoRequest(text="down twice", count=2))
    seen = [(await call.read()).text, (await call.read()).text]
    with pytest.raises(UnavailableError):
        await call.read()
    assert (seen, bound.seen.calls) == (["0", "1"], 1)


async def test_stream_that_did_not_begin(rebind: Rebind) -> None:
    """A stream that failed before its first response is begun again."""
    bound = rebind(BindingSettings(retry=QUICK))
    call = bound.stub.Many(bound.pb2.EchoRequest(text="down twice"))
    assert ([response async for response in call], bound.seen.calls) == ([], 3)


async def test_hedge(rebind: Rebind) -> None:
    """When an answer is late a second attempt is made, its answer is taken, and the first attempt is cancelled."""
    bound = rebind(BindingSettings(hedge=HedgeSettings(enabled=True), retry=RetrySettings(attempts=1)))
    for _ in range(20):
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    bound.seen.calls = 0
    answer = await bound.stub.One(bound.pb2.EchoRequest(text="hang once"), timeout=5)
    record = list(bound.journal)[-1]
    await asyncio.wait_for(bound.seen.cancelled.wait(), 5)
    assert (answer.text, bound.seen.calls, [what for what, _ in record.notes]) == ("hang once", 2, ["hedged"])


async def test_too_little_time(rebind: Rebind) -> None:
    """A call with less time than half of the latest answers took is refused before anything is sent."""
    bound = rebind(BindingSettings())
    await asyncio.gather(*(bound.stub.One(bound.pb2.EchoRequest(text="nap")) for _ in range(20)))
    calls = bound.seen.calls
    await asyncio.sleep(1.1)  # what is known of the latest answers is told for a second
    with pytest.raises(DeadlineExceededError) as refused:
        await bound.stub.One(bound.pb2.EchoRequest(text="nap"), timeout=0.05)
    assert (refused.value.reason, bound.seen.calls - calls) == ("DEADLINE_TOO_SHORT", 0)


async def test_reserve(rebind: Rebind) -> None:
    """A callee gets what is left of the caller's time, less the reserve in which the caller can still answer."""
    bound = rebind(BindingSettings(reserve_ms=500))
    answered = Call(None, Side.SERVER)  # type: ignore[arg-type]  # nothing asks what it calls
    answered.deadline = time.monotonic() + 8
    token = CURRENT.set(answered)
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    CURRENT.reset(token)
    assert bound.seen.remaining is not None
    assert 7.2 < bound.seen.remaining < 7.6


async def test_method_of_its_own(rebind: Rebind) -> None:
    """A method may have settings of its own."""
    bound = rebind(BindingSettings(retry=QUICK, methods={"One": BindingSettings(retry=RetrySettings(attempts=1))}))
    with pytest.raises(UnavailableError):
        await bound.stub.One(bound.pb2.EchoRequest(text="down at once"))
    assert bound.seen.calls == 1
