"""The short form of `make fuzz`, and what the fuzz itself must be able to see."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import structlog
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from google.protobuf.message import DecodeError, Message

from mesh.call import Call, Handler, Reply
from mesh.contract import service_of
from mesh.rules import check
from mesh.status import InternalError, InvalidArgumentError, ResourceExhaustedError, UnavailableError
from tests.fuzz.attack import Outcome, attack
from tests.fuzz.house import Target, under_fire
from tests.fuzz.mutation import Mutator

REQUESTS = 2_000


async def test_nothing_breaks(tmp_path: Path) -> None:
    """Every method of every entrypoint takes its share of mutated requests; none is INTERNAL or UNKNOWN, none hangs."""
    async with under_fire(tmp_path) as targets:
        outcome = await attack(targets, requests=REQUESTS, seed=2, looks=20)
    assert outcome.faults == []
    assert {target.name for target in targets} == {name for name, codes in outcome.codes.items() if codes}
    assert outcome.growth_mib <= outcome.growth_limit_mib
    assert sum(codes["OK"] for codes in outcome.codes.values()) > REQUESTS / 10


def target(handler: Handler) -> Target:
    """A method that ends as a test says."""
    method = service_of(WarmerServiceStub).methods["/bookmesh.warmer.v1.WarmerService/GetWarmJob"]
    return Target(entrypoint="x/Default", method=method, ways=(handler,))


async def broken(call: Call) -> Reply:
    """Answers INTERNAL."""
    raise InternalError("INTERNAL", "something broke")


async def lost(call: Call) -> Reply:
    """Answers what gRPC makes of an error that was too large."""
    raise ResourceExhaustedError("", "received metadata size exceeds soft limit")


async def let_go(call: Call) -> Reply:
    """Gives its caller up."""
    raise asyncio.CancelledError


async def raising(call: Call) -> Reply:
    """Raises what is no status."""
    raise ZeroDivisionError


async def logging_ours(call: Call) -> Reply:
    """Answers, but something broke beside it."""
    structlog.get_logger("x").error("job_broke")
    return b""


async def logging_theirs(call: Call) -> Reply:
    """Answers, but a library has something to say."""
    logging.getLogger("grpc").error("Unexpected servicer error")
    return b""


async def failed_inside(call: Call) -> Reply:
    """Answers with a job that broke."""
    job = warmer.WarmJob()
    job.error.code = "INTERNAL"
    return warmer.GetWarmJobResponse(job=job)


@pytest.mark.parametrize("handler", [broken, lost, let_go, raising, logging_ours, logging_theirs, failed_inside])
async def test_what_must_not_happen_is_seen(handler: Handler) -> None:
    """Each way in which a service can break is a fault of the run, with what was sent."""
    outcome = await attack([target(handler)], requests=120, seed=1, looks=5)
    assert len(outcome.faults) == 100


async def fine(call: Call) -> Reply:
    """Fails as services may."""
    raise UnavailableError("PROVIDER_UNAVAILABLE", "down")


async def test_a_failure_that_is_foreseen_is_no_fault() -> None:
    """A status that the contract knows is what a request may end with."""
    outcome = await attack([target(fine)], requests=120, seed=1, looks=5)
    assert (outcome.faults, outcome.codes["x/Default WarmerService.GetWarmJob"]) == ([], Counter(UNAVAILABLE=120))


@pytest.mark.parametrize(("last", "is_flat"), [(110.0, True), (117.0, False)])
def test_growth(last: float, is_flat: bool) -> None:  # noqa: FBT001 - a case's expectation
    """What is gained in the warm-up does not count, and what is gained after it counts whenever it came."""
    outcome = Outcome(rss_mib=[*range(30, 60), *[100.0] * 35, *[last] * 35])
    assert is_flat is (outcome.growth_mib <= outcome.growth_limit_mib)


def kept(request: Message) -> bool:
    """Whether a request keeps the rules."""
    try:
        check(request)
    except InvalidArgumentError:
        return False
    return True


def test_shapes_are_of_every_kind() -> None:
    """Of the messages a good part keeps the rules, and a good part breaks them."""
    mutator = Mutator(Random(1))  # noqa: S311 - a seed must name a run
    good = sum(kept(mutator.shape(books.SearchAutoRequest)) for _ in range(400))
    assert 40 < good < 360


def test_bytes_are_of_every_kind() -> None:
    """Of the bytes a good part can't be read as a message, and a good part can."""
    mutator = Mutator(Random(1))  # noqa: S311 - a seed must name a run

    def is_read() -> bool:
        try:
            books.SearchAutoRequest.FromString(mutator.raw(books.SearchAutoRequest))
        except DecodeError:
            return False
        return True

    assert 40 < sum(is_read() for _ in range(400)) < 360


def test_a_seed_names_its_requests() -> None:
    """The same seed gives the same requests, so that what was found is found again."""
    one, other = (Mutator(Random(7)) for _ in range(2))  # noqa: S311 - a seed must name a run
    made = [[each.raw(warmer.WarmRequest) for _ in range(50)] for each in (one, other)]
    assert made[0] == made[1]
