"""The only place that turns jobs into the fields of a hash and back. Pure; times are seconds, written exactly."""

from collections.abc import Mapping

from services.warmer.jobs.job import Extent, Failure, Job, Part, Speed, State
from services.warmer.jobs.outcome import TALLIED, Tally

_TIMES = ("start_time", "end_time", "resume_time")
_EXTENT = ("rows", "books", "authors", "rejects", "duplicates", "skipped", "searches")


def new_fields(job: Job) -> dict[str, str]:
    """What is written of a job that begins."""
    return {
        "state": job.state.value,
        "library": job.library_id,
        "strategy": str(job.strategy),
        "rows": str(job.rows),
        "request_id": job.request_id,
        "trigger": job.trigger,
        "min_fresh_s": repr(job.min_fresh_s),
        "create_time": repr(job.create_time),
        "update_time": repr(job.update_time),
    }


def plan_fields(part: Part, extent: Extent) -> dict[str, str]:
    """What is written of a job whose plan is made."""
    return {
        "plan": part.plan_id,
        "first": str(part.first),
        "end": str(part.end),
        "is_own": str(int(part.is_own)),
        **{f"x_{name}": str(getattr(extent, name)) for name in _EXTENT},
    }


def failure_fields(failure: Failure) -> dict[str, str]:
    """What is written of a job that failed."""
    return {"code": failure.code, "reason": failure.reason, "message": failure.message}


def job_of(job_id: str, fields: Mapping[bytes, bytes]) -> Job:
    """The job that was written."""
    text = {name.decode(): value.decode() for name, value in fields.items() if name != b"asked"}
    failure = Failure(code=text["code"], reason=text["reason"], message=text["message"]) if "code" in text else None
    part = None
    if "plan" in text:
        first, end = int(text["first"]), int(text["end"])
        part = Part(plan_id=text["plan"], first=first, end=end, is_own=text["is_own"] == "1")
    times = {name: float(text[name]) if name in text else None for name in _TIMES}
    return Job(
        id=job_id,
        state=State(text["state"]),
        library_id=text["library"],
        strategy=int(text["strategy"]),
        rows=int(text["rows"]),
        request_id=text["request_id"],
        trigger=text["trigger"],
        min_fresh_s=float(text["min_fresh_s"]),
        create_time=float(text["create_time"]),
        update_time=float(text["update_time"]),
        start_time=times["start_time"],
        end_time=times["end_time"],
        resume_time=times["resume_time"],
        extent=Extent(**{name: int(text.get(f"x_{name}", 0)) for name in _EXTENT}),
        part=part,
        fed=int(text.get("fed", 0)),
        done=int(text.get("done", 0)),
        tally=Tally(**{name: int(text.get(name, 0)) for name in TALLIED}),
        speed=Speed(
            per_second=float(text.get("speed", 0)),
            settled=int(text.get("speed_settled", 0)),
            time=float(text.get("speed_time", 0)),
        ),
        failure=failure,
        is_kept="kept" in text,
    )
