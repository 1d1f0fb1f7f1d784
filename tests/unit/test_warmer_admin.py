"""The warmer for operators, and its life as a service."""

import pytest
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer_pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from google.protobuf.message import Message

from mesh.status import UnimplementedError
from mesh.testing import in_process
from services.warmer.entrypoints import Admin, Default, lifespan
from tests.unit.warmer_house import DUNE, House


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("VerifyCache", pb.VerifyCacheRequest()),
    ],
)
async def test_not_built(method: str, request_: Message) -> None:
    """What a later issue builds says so, and pretends nothing."""
    env = House().env()
    async with lifespan(env) as state:
        stub = in_process(AdminServiceStub, Admin(env, state))
        with pytest.raises(UnimplementedError) as caught:
            await getattr(stub, method)(request_)
    assert caught.value.reason == "NOT_BUILT"


async def test_health() -> None:
    """The warmer tells its name."""
    env = House().env()
    async with lifespan(env) as state:
        answer = await in_process(AdminServiceStub, Admin(env, state)).GetHealth(pb.GetHealthRequest())
    assert answer.health.worker == "warmer"


async def test_the_service_warms() -> None:
    """What the mesh starts, on real clocks, warms what it is asked to."""
    house = House()
    env = house.env()
    async with lifespan(env) as state:
        stub = in_process(WarmerServiceStub, Default(env, state))
        inline = warmer_pb.InlineLibrary(isbns=[DUNE])
        job = (await stub.Warm(warmer_pb.WarmRequest(inline=inline))).job
        call = stub.WatchWarmJob(warmer_pb.WatchWarmJobRequest(job_id=job.id))
        states = [change.job.state async for change in call]
    assert states[-1] == warmer_pb.WARM_JOB_STATE_SUCCEEDED
