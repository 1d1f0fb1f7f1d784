"""The warmer for operators, and its life as a service."""

import pytest
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer_pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub

from mesh.status import FailedPreconditionError
from mesh.stores.redis_kv import RedisKv
from mesh.testing import in_process
from services.warmer.entrypoints import Admin, Default, lifespan
from tests.integration.warmer.house import DUNE, House


async def test_health(house: House) -> None:
    """The warmer tells its name."""
    env = house.env()
    async with lifespan(env) as state:
        answer = await in_process(AdminServiceStub, Admin(env, state)).GetHealth(pb.GetHealthRequest())
    assert answer.health.worker == "warmer"


async def test_the_service_warms(house: House) -> None:
    """What the mesh starts, on real clocks, warms what it is asked to."""
    kv = RedisKv(house.url, house.namespace)
    env = house.env(kv)
    async with lifespan(env) as state:
        stub = in_process(WarmerServiceStub, Default(env, state), deadline_s=20)
        inline = warmer_pb.InlineLibrary(isbns=[DUNE])
        job = (await stub.Warm(warmer_pb.WarmRequest(inline=inline))).job
        call = stub.WatchWarmJob(warmer_pb.WatchWarmJobRequest(job_id=job.id))
        states = [change.job.state async for change in call]
    await kv.aclose()
    assert states[-1] == warmer_pb.WARM_JOB_STATE_SUCCEEDED


async def test_jobs_need_a_server(house: House) -> None:
    """Where the store is none that replicas can share, jobs are refused with the reason, and all else is served."""
    env = house.env()
    async with lifespan(env) as state:
        stub = in_process(WarmerServiceStub, Default(env, state))
        with pytest.raises(FailedPreconditionError) as caught:
            await stub.Warm(warmer_pb.WarmRequest(inline=warmer_pb.InlineLibrary(isbns=[DUNE])))
        libraries = await stub.ListLibraries(warmer_pb.ListLibrariesRequest())
    assert (caught.value.metadata, list(libraries.libraries)) == ({"store": "WARMING_CACHE"}, [])
