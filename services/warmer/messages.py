"""The only place that turns jobs into the contract's messages and back. Pure."""

from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.warmer.job import Extent, Failure, Job, State
from services.warmer.outcome import Tally
from services.warmer.rate import remaining_ms


def job_message(job: Job, per_second: float = 0.0) -> pb.WarmJob:
    """A job as the contract tells it, and as it is stored.

    Args:
        job: the job.
        per_second: searches that it settles a second, lately.
    """
    extent, tally = job.extent, job.tally
    known = not job.ended and extent.searches
    message = pb.WarmJob(
        id=job.id,
        state=pb.WarmJobState.Value(f"WARM_JOB_STATE_{job.state.value}"),
        library_id=job.library_id,
        strategy=pb.Strategy.ValueType(job.strategy),
        request_id=job.request_id,
        trigger=job.trigger,
        progress=pb.WarmProgress(
            row_count=extent.rows,
            book_count=extent.books,
            author_count=extent.authors,
            search_count=extent.searches,
            fresh_count=tally.fresh,
            warmed_count=tally.warmed,
            not_found_count=tally.not_found,
            failed_count=tally.failed,
            parked_count=tally.parked,
            provider_call_count=tally.calls,
            retry_count=tally.retries,
            reject_count=extent.rejects,
            duplicate_count=extent.duplicates,
            searches_per_second=per_second,
            remaining_ms=remaining_ms(extent.searches - tally.settled, per_second) if known else 0 if job.ended else -1,
        ),
    )
    for name in ("create_time", "start_time", "end_time", "update_time"):
        seconds = getattr(job, name)
        if seconds is not None:
            getattr(message, name).CopyFrom(timestamp(seconds))
    if job.failure is not None:
        message.error.CopyFrom(CallError(code=job.failure.code, reason=job.failure.reason, message=job.failure.message))
    return message


def job_of(message: pb.WarmJob) -> Job:
    """The job that was stored."""
    progress = message.progress
    return Job(
        id=message.id,
        state=State(pb.WarmJobState.Name(message.state).removeprefix("WARM_JOB_STATE_")),
        library_id=message.library_id,
        strategy=message.strategy,
        request_id=message.request_id,
        trigger=message.trigger,
        create_time=_seconds(message.create_time),
        start_time=_seconds(message.start_time) if message.HasField("start_time") else None,
        end_time=_seconds(message.end_time) if message.HasField("end_time") else None,
        update_time=_seconds(message.update_time),
        extent=Extent(
            rows=progress.row_count,
            books=progress.book_count,
            authors=progress.author_count,
            rejects=progress.reject_count,
            duplicates=progress.duplicate_count,
            searches=progress.search_count,
        ),
        tally=Tally(
            fresh=progress.fresh_count,
            warmed=progress.warmed_count,
            not_found=progress.not_found_count,
            failed=progress.failed_count,
            parked=progress.parked_count,
            calls=progress.provider_call_count,
            retries=progress.retry_count,
        ),
        failure=Failure(code=message.error.code, reason=message.error.reason, message=message.error.message)
        if message.HasField("error")
        else None,
    )


def timestamp(seconds: float) -> Timestamp:
    """Seconds since the epoch as the contract has them."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp


def _seconds(stamp: Timestamp) -> float:
    return stamp.ToMicroseconds() / 1e6
