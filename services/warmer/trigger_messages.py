"""The only place that turns triggers and their firings into the contract's messages. Pure."""

from collections.abc import Iterable

from bookmesh.warmer.v1 import admin_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from mesh.schedule.firing import Firing, Trigger


def trigger_messages(triggers: Iterable[Trigger]) -> list[pb.Trigger]:
    """Triggers as the contract tells them."""
    return [
        pb.Trigger(
            cron=trigger.cron,
            next_time=_timestamp(trigger.next_time),
            firings=map(firing_message, trigger.firings),
        )
        for trigger in triggers
    ]


def firing_message(firing: Firing) -> pb.Firing:
    """A firing as the contract tells it."""
    return pb.Firing(
        due_time=_timestamp(firing.due_time),
        start_time=_timestamp(firing.start_time),
        end_time=None if firing.end_time is None else _timestamp(firing.end_time),
        outcome=firing.outcome,
        reason=firing.reason,
        forced=firing.forced,
        made_up=firing.made_up,
    )


def _timestamp(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp
