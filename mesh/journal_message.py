"""How a record of the journal is told: as a message to operators, as one line of JSON to the audit log."""

from datetime import UTC, datetime

from bookmesh.mesh.v1.journal_pb2 import CALL_SIDE_CLIENT, CALL_SIDE_SERVER, CallRecord, Decision

from mesh.call import Side
from mesh.journal import Record

_SIDES = {Side.CLIENT: CALL_SIDE_CLIENT, Side.SERVER: CALL_SIDE_SERVER}


def as_message(record: Record) -> CallRecord:
    """A record as the Admin entrypoints tell it."""
    message = CallRecord(
        trace_id=record.trace.trace_hex,
        call_id=record.trace.call_hex,
        parent_id=_parent(record),
        side=_SIDES[record.side],
        caller=record.caller,
        binding=record.binding,
        service=record.service,
        entrypoint=record.entrypoint,
        method=record.method,
        code=record.code,
        reason=record.reason,
        duration_ms=record.elapsed_s * 1000,
        attempts=record.attempts,
        breaker=record.breaker,
        tier=record.tier,
        sent_bytes=record.sent,
        received_bytes=record.received,
        decisions=[Decision(what=what, why=why) for what, why in record.notes],
    )
    message.end_time.FromMicroseconds(round(record.at * 1e6))
    return message


def as_line(record: Record) -> dict[str, object]:
    """A record as the audit log writes it; what is empty is left out."""
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.at, UTC),
        "trace_id": record.trace.trace_hex,
        "call_id": record.trace.call_hex,
        "parent_id": _parent(record),
        "side": record.side.value,
        "caller": record.caller,
        "binding": record.binding,
        "service": record.service,
        "entrypoint": record.entrypoint,
        "method": record.method,
        "code": record.code,
        "reason": record.reason,
        "ms": round(record.elapsed_s * 1000, 3),
        "attempts": record.attempts,
        "breaker": record.breaker,
        "tier": record.tier,
        "sent_bytes": record.sent,
        "received_bytes": record.received,
        "decisions": [{"what": what, "why": why} for what, why in record.notes],
    }
    return {key: value for key, value in line.items() if value not in ("", [])}


def _parent(record: Record) -> str:
    return f"{record.trace.parent_id:016x}" if record.trace.parent_id else ""
