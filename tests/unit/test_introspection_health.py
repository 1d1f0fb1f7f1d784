"""GetHealth: what is shared may fail and the service is degraded; only what is its own makes it an error."""

import pytest
from bookmesh.mesh.v1 import admin_pb2
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE

from mesh.breakers import Breakers
from mesh.hosting.health import SERVING, Health
from mesh.hosting.vitals import Vitals
from mesh.introspection import Introspection, Probe
from mesh.stats import Stats
from mesh.status import UnavailableError


async def unreachable() -> None:
    """A shared part that does not answer."""
    raise UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")


def introspection(vitals: Vitals, kind: str) -> Introspection:
    """A service with one shared part that is down."""
    probe = Probe(binding="SHARED", kind=kind, ping=unreachable)
    return Introspection(worker="books", stats=Stats(), breakers=Breakers(), vitals=vitals, probes=[probe])


@pytest.mark.parametrize("kind", ["kv", "bucket", "service"])
async def test_shared_parts_degrade(kind: str) -> None:
    """A store or a service that is down makes a service DEGRADED and leaves it ready."""
    vitals = Vitals()
    health = Health((), vitals)
    health.set_all(SERVING)
    report = await introspection(vitals, kind).health()
    assert (report.state, list(report.failed_parts), health.status_of("readiness")) == (
        admin_pb2.HEALTH_STATE_DEGRADED,
        [],
        SERVING,
    )


async def test_own_parts_are_an_error() -> None:
    """A part of its own that failed makes a service an ERROR that names the part, whatever else is down."""
    vitals = Vitals()
    vitals.fail("cron")
    report = await introspection(vitals, "kv").health()
    assert (report.state, list(report.failed_parts)) == (admin_pb2.HEALTH_STATE_ERROR, ["cron"])
