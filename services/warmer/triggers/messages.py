"""The only place that turns triggers and their firings into the contract's messages. Pure."""

from collections.abc import Iterable

from bookmesh.warmer.v1 import admin_service_pb2 as pb

from mesh.schedule.firing import Firing, Trigger
from services.warmer.jobs.messages import timestamp


def trigger_messages(triggers: Iterable[Trigger]) -> list[pb.Trigger]:
    """Triggers as the contract tells them."""
    return [
        pb.Trigger(
            cron=trigger.cron,
            next_time=timestamp(trigger.next_time),
            firings=map(firing_message, trigger.firings),
        )
        for trigger in triggers
    ]


def firing_message(firing: Firing) -> pb.Firing:
    """A firing as the contract tells it."""
    return pb.Firing(
        due_time=timestamp(firing.due_time),
        start_time=timestamp(firing.start_time),
        end_time=None if firing.end_time is None else timestamp(firing.end_time),
        outcome=firing.outcome,
        reason=firing.reason,
        forced=firing.forced,
        made_up=firing.made_up,
    )
