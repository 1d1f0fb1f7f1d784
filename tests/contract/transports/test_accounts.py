"""What is written down about a call, and what it carries to its callee, the same on every transport."""

import pytest

from mesh.call import CURRENT, Call, Side
from mesh.status import FailedPreconditionError, UnavailableError
from mesh.trace import Trace
from tests.contract.transports.conftest import Bound


async def test_record_of_a_call(bound: Bound) -> None:
    """One record tells who called what through which binding, how it ended, and how long it took."""
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    (record,) = bound.journal
    assert (record.side, record.caller, record.binding, record.service, record.code, record.reason) == (
        Side.CLIENT,
        "tester",
        "ECHO",
        "echo",
        "OK",
        "",
    )
    assert (record.method.endswith("/One"), record.elapsed_s > 0, record.sent, record.attempts) == (True, True, 7, 1)


async def test_record_of_a_failure(bound: Bound) -> None:
    """A call that fails is written down with its status and its reason."""
    with pytest.raises(UnavailableError):
        await bound.stub.One(bound.pb2.EchoRequest(text="down"))
    (record,) = bound.journal
    assert (record.code, record.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE")


async def test_record_of_a_refusal(bound: Bound) -> None:
    """A call that the breaker refuses is written down with what was decided and where the breaker stood."""
    for _ in range(4):
        with pytest.raises(UnavailableError):
            await bound.stub.One(bound.pb2.EchoRequest(text="down"))
    record = list(bound.journal)[-1]
    assert (record.reason, record.breaker, record.notes) == (
        "CIRCUIT_OPEN",
        "OPEN",
        (("refused", "the breaker is OPEN"),),
    )


async def test_found_by_either_id(bound: Bound) -> None:
    """A record is found by the id of its call, and by that of its trace, which the answer tells."""
    call = bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    await call
    (record,) = bound.journal
    told = dict(await call.trailing_metadata())["x-trace-id"]
    found = [list(bound.journal.find(identity)) for identity in (str(told), record.trace.call_hex)]
    assert found == [[record], [record]]


async def test_chain_goes_on(bound: Bound) -> None:
    """A call made to answer another has its trace, and its callee stands at the end of the chain."""
    with answering(("people", "tester")) as trace:
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    (record,) = bound.journal
    assert (record.trace.trace_id, record.trace.parent_id, record.trace.chain) == (
        trace.trace_id,
        trace.call_id,
        ("people", "tester", "echo"),
    )


@pytest.mark.parametrize(
    ("chain", "reason"), [(("a", "b", "tester"), "CALL_TOO_DEEP"), (("echo", "tester"), "CALL_CYCLE")]
)
async def test_chain_that_may_not_go_on(bound: Bound, chain: tuple[str, ...], reason: str) -> None:
    """A fourth service, and one that is in the chain already, are refused before anything is sent."""
    with answering(chain), pytest.raises(FailedPreconditionError) as refused:
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert (refused.value.reason, bound.seen.calls) == (reason, 0)


async def test_class_goes_on(bound: Bound) -> None:
    """What answers batch work is batch work."""
    with answering(("tester",), batch=True):
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert [record.trace.batch for record in bound.journal] == [True]


class answering:  # noqa: N801 - reads as a statement where it is used
    """As if the test answered a call that had come through these services."""

    def __init__(self, chain: tuple[str, ...], *, batch: bool = False) -> None:
        self.trace = Trace(11, 22, 0, chain, batch)

    def __enter__(self) -> Trace:
        call = Call(None, Side.SERVER)  # type: ignore[arg-type]  # nothing asks what it calls
        call.trace = self.trace
        self._token = CURRENT.set(call)
        return self.trace

    def __exit__(self, *_: object) -> None:
        CURRENT.reset(self._token)
