"""The only place that turns jobs into the contract's messages. Pure."""

from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.warmer.jobs.job import Job
from services.warmer.jobs.rate import per_second, remaining_ms


def job_message(job: Job, now: float) -> pb.WarmJob:
    """A job as the contract tells it.

    Args:
        job: the job.
        now: seconds since the epoch.
    """
    extent, tally = job.extent, job.tally
    speed = per_second(job, now)
    is_known = not job.ended and job.part is not None
    left = extent.searches - tally.settled
    message = pb.WarmJob(
        id=job.id,
        state=pb.WarmJobState.Value(f"WARM_JOB_STATE_{job.state.value}"),
        library_id=job.library_id,
        strategy=pb.Strategy.ValueType(job.strategy),
        rows=pb.RowSelection.ValueType(job.rows),
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
            skipped_count=extent.skipped,
            searches_per_second=speed,
            remaining_ms=remaining_ms(left, speed) if is_known else 0 if job.ended else -1,
        ),
    )
    for name in ("create_time", "start_time", "end_time", "update_time", "resume_time"):
        seconds = getattr(job, name)
        if seconds is not None:
            getattr(message, name).CopyFrom(timestamp(seconds))
    if job.failure is not None:
        message.error.CopyFrom(CallError(code=job.failure.code, reason=job.failure.reason, message=job.failure.message))
    return message


def timestamp(seconds: float) -> Timestamp:
    """Seconds since the epoch as the contract has them."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp
