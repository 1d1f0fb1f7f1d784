"""The only place that turns triggers and firings into the contract's messages. Pure."""

from bookmesh.warmer.v1 import admin_service_pb2 as pb

from mesh.schedule.firing import Firing
from mesh.schedule.schedule import Trigger
from services.warmer.jobs.messages import timestamp


def trigger_message(trigger: Trigger) -> pb.Trigger:
    """A trigger as the contract tells it."""
    return pb.Trigger(
        cron=trigger.cron, next_time=timestamp(trigger.next), firings=map(firing_message, trigger.firings)
    )


def firing_message(firing: Firing) -> pb.Firing:
    """A firing as the contract tells it."""
    return pb.Firing(
        due_time=timestamp(firing.due),
        start_time=timestamp(firing.start),
        end_time=None if firing.end is None else timestamp(firing.end),
        outcome=firing.outcome,
        reason=firing.reason,
        forced=firing.forced,
        made_up=firing.made_up,
    )
