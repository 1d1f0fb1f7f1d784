"""The warmer's triggers for operators: listed and fired through its Admin, in the contract's words."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceStub

from mesh.schedule.firing import Firing, Trigger
from mesh.status import NotFoundError
from mesh.testing import in_process
from services.warmer.entrypoints import Admin, lifespan
from services.warmer.trigger_messages import firing_message, trigger_messages
from tests.unit.warmer_house import House

CRONS = ("*/15 * * * *", "0 2 * * *")


@pytest.fixture
async def admin() -> AsyncIterator[AdminServiceStub]:
    """The Admin of a warmer with the seed's triggers."""
    env = House().env()
    env = replace(env, MESH=replace(env.MESH, crons=CRONS))
    async with lifespan(env) as state:
        yield in_process(AdminServiceStub, Admin(env, state))


async def test_listed(admin: AdminServiceStub) -> None:
    """The manifest's lines are listed in its order, each with its next time; none has fired for the past."""
    answer = await admin.ListTriggers(pb.ListTriggersRequest())
    assert [(each.cron, each.HasField("next_time"), len(each.firings)) for each in answer.triggers] == [
        (cron, True, 0) for cron in CRONS
    ]


async def test_fired(admin: AdminServiceStub) -> None:
    """Who fires a trigger is told what came of it, and so is who lists it; no more are told than are asked for."""
    fired = [(await admin.FireTrigger(pb.FireTriggerRequest(cron="0 2 * * *"))).firing for _ in range(3)]
    assert all(each.forced and each.HasField("end_time") for each in fired)
    answer = await admin.ListTriggers(pb.ListTriggersRequest(firing_limit=2))
    assert list(answer.triggers[1].firings) == [fired[2], fired[1]]
    assert len((await admin.ListTriggers(pb.ListTriggersRequest())).triggers[1].firings) == 3


async def test_unknown(admin: AdminServiceStub) -> None:
    """Who names another line is told those that there are."""
    with pytest.raises(NotFoundError) as caught:
        await admin.FireTrigger(pb.FireTriggerRequest(cron="0 3 * * *"))
    assert caught.value.reason == "TRIGGER_NOT_FOUND"
    assert caught.value.message.endswith("there are: '*/15 * * * *', '0 2 * * *'")


def test_messages() -> None:
    """Every field of a firing is told; one that runs has no end."""
    ended = Firing(
        cron=CRONS[1],
        due_time=1_798_804_800,
        start_time=1_798_804_800.25,
        end_time=1_798_804_801.5,
        outcome="warmed 3 books",
        reason="QUOTA_SPENT",
        forced=True,
        made_up=True,
    )
    message = firing_message(ended)
    times = [stamp.ToMilliseconds() for stamp in (message.due_time, message.start_time, message.end_time)]
    assert times == [1_798_804_800_000, 1_798_804_800_250, 1_798_804_801_500]
    assert (message.outcome, message.reason) == ("warmed 3 books", "QUOTA_SPENT")
    assert (message.forced, message.made_up) == (True, True)
    running = replace(ended, end_time=None)
    told = trigger_messages([Trigger(cron=CRONS[1], next_time=1_798_855_200, firings=[running, ended])])
    assert [(each.cron, each.next_time.ToSeconds()) for each in told] == [(CRONS[1], 1_798_855_200)]
    assert [each.HasField("end_time") for each in told[0].firings] == [False, True]
