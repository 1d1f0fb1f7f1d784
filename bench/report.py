"""What was measured, as JSON: the only place that knows its shape."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench.answer import Question, size
from bench.contest import IN_FLIGHT, SHAPES, Contest
from bench.expectations import Verdict, verdicts
from bench.measure import Cost, Shape, median

BASE = "in_process"
"""The rival that all are compared with."""

_PACKAGES = (
    "grpcio",
    "protobuf",
    "fastapi",
    "uvicorn",
    "httptools",
    "uvloop",
    "httpx",
    "pydantic",
    "aiohttp",
    "orjson",
)
"""What the rivals are made of; httptools and uvloop are what uvicorn would take to, were they installed."""


def medians_of(contest: Contest) -> Mapping[tuple[str, Shape], Cost]:
    """The median of every rival in every shape."""
    return {key: median(costs) for key, costs in contest.costs.items()}


def report(contest: Contest, *, rounds: int, calls: int) -> Mapping[str, Any]:
    """All of it, as plain objects; times in microseconds for each call.

    Args:
        contest: what was measured.
        rounds: how many counted.
        calls: calls of each measurement.
    """
    medians = medians_of(contest)
    return {
        "rounds": rounds,
        "calls": calls,
        "cpu": "user and system time of all threads, of the calling and the answering process together",
        "answer": size(Question.FORTY),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "packages": _versions()},
        "results": [
            {
                "rival": name,
                "title": title,
                "question": shape.question,
                "in_flight": shape.in_flight,
                "cpu_us": _us(medians[name, shape].cpu_s),
                "wall_us": _us(medians[name, shape].wall_s),
                "cpu_ratio": round(medians[name, shape].cpu_s / medians[BASE, shape].cpu_s, 2),
                "cpu_us_of_rounds": [_us(cost.cpu_s) for cost in contest.costs[name, shape]],
            }
            for shape in SHAPES
            for name, title in contest.titles.items()
        ],
        "expectations": [
            {"in_flight": in_flight, **_told(verdict)}
            for in_flight in IN_FLIGHT
            for verdict in verdicts(medians, in_flight)
        ],
    }


def _told(verdict: Verdict) -> Mapping[str, Any]:
    expected = verdict.expected
    limit = expected.limit[verdict.question]
    return {
        "rival": expected.rival,
        "question": verdict.question,
        **({"over": expected.over, "least_ratio": limit} if expected.over else {"about_us": limit}),
        "measured": round(verdict.measured, 2),
        "met": verdict.met,
    }


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 2)


def _versions() -> Mapping[str, str | None]:
    return {package: _version(package) for package in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def server_of_uvicorn() -> Sequence[str]:
    """What uvicorn parses HTTP with and runs on, by its own choice among what is installed."""
    return ["httptools" if _version("httptools") else "h11", "uvloop" if _version("uvloop") else "asyncio"]
