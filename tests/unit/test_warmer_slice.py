"""The main job from end to end, with fakes at the rim."""

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from tests.unit.warmer_house import House, settled


async def test_upload_warm_watch_succeeded() -> None:
    """An uploaded library is warmed, and every one of its searches is settled."""
    async with House().process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id)
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, ended.progress.search_count)
