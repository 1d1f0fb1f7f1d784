"""What a service's Admin may know of its own runtime: bindings, stores, secrets, counts and breakers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bookmesh.mesh.v1 import admin_pb2, journal_pb2, stats_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from mesh.breaker import Breaker, BreakerState, Event
from mesh.breakers import Breakers
from mesh.hosting.vitals import Vitals
from mesh.journal import Journal
from mesh.journal_message import as_message
from mesh.quota.ledger import Ledger, LocalLedger
from mesh.stats import Histogram, Series, Stats
from mesh.status import MeshError
from mesh.turns import Turns

PING_S = 2.0
"""Seconds after which a binding or store that has not answered counts as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A part of a service that can be asked whether it is well."""

    binding: str
    """The name in the manifest."""
    kind: str
    """"service", "kv" or "bucket"."""
    ping: Callable[[], Awaitable[object]]
    """Returns when the part answered, raises when it did not."""
    service: str = ""
    """The service at the other end, for a binding."""
    entrypoint: str = ""
    """The entrypoint at the other end, for a binding."""
    transport: str = ""
    """"in_process", "unix" or "tcp", for a binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """Whether a secret is set; never its value."""

    binding: str
    """The name in the manifest."""
    present: bool
    """It has a value."""
    stand_in: bool = False
    """The address book gave it, not a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """A field of this type in an Env needs no declaration: the mesh itself fills it."""

    worker: str
    """The service's name."""
    stats: Stats
    """What was counted."""
    breakers: Breakers
    """The breakers of the service's own bindings."""
    journal: Journal = field(default_factory=Journal)
    """What was done for its calls."""
    turns: Turns = field(default_factory=Turns)
    """Who works next in this process, of those that nobody waits for."""
    vitals: Vitals = field(default_factory=Vitals)
    """What of the service's own has failed; a service that has a loop of its own tells it here."""
    probes: Sequence[Probe] = ()
    """Its bindings and stores."""
    secrets: Sequence[SecretState] = ()
    """Its secrets."""
    ledger: Ledger = field(default_factory=LocalLedger)
    """Counts the calls that its providers' keys may make."""
    crons: Sequence[str] = ()
    """The cron lines of its manifest."""
    started_at: float = 0.0
    """When the service started, in seconds since the epoch."""

    async def health(self) -> admin_pb2.Health:
        """Asks every binding and store, side by side, within two seconds."""
        outcomes = await asyncio.gather(*(_ask(probe) for probe in self.probes))
        report = admin_pb2.Health(worker=self.worker, report_time=_timestamp(time.time()))
        report.state = admin_pb2.HEALTH_STATE_HEALTHY
        for probe, (milliseconds, reason) in zip(self.probes, outcomes, strict=True):
            state = admin_pb2.HEALTH_STATE_ERROR if reason else admin_pb2.HEALTH_STATE_HEALTHY
            if reason:
                # What is shared may fail without the service being at fault: it is degraded, not down.
                report.state = admin_pb2.HEALTH_STATE_DEGRADED
            if probe.kind == "service":
                report.bindings.add(
                    binding=probe.binding,
                    service=probe.service,
                    entrypoint=probe.entrypoint,
                    state=state,
                    response_time_ms=milliseconds,
                    transport=probe.transport,
                    reason=reason,
                )
            else:
                report.stores.add(
                    binding=probe.binding, kind=probe.kind, state=state, response_time_ms=milliseconds, reason=reason
                )
        for secret in self.secrets:
            report.secrets.add(binding=secret.binding, present=secret.present, stand_in=secret.stand_in)
        if self.vitals.failed:
            report.state = admin_pb2.HEALTH_STATE_ERROR
            report.failed_parts.extend(self.vitals.failed)
        return report

    def report(self) -> stats_pb2.Stats:
        """Everything counted since the start."""
        called = self.stats.all_bindings()
        return stats_pb2.Stats(
            worker=self.worker,
            start_time=_timestamp(self.started_at),
            served=[_call_stats(series) for series in self.stats.all_served()],
            bindings=[_call_stats(series) for series in called],
            metrics=[stats_pb2.Metric(name=name, value=value) for name, value in dashboard(called)],
        )

    def list_breakers(self, name: str | None = None) -> list[admin_pb2.Breaker]:
        """The breakers that a name fits, or all of them."""
        found = self.breakers.items() if name is None else sorted(self.breakers.matching(name).items())
        return [_breaker(self.worker, key, breaker) for key, breaker in found]

    def explain(self, identity: str) -> list[journal_pb2.CallRecord]:
        """What was done for a trace or a call, the oldest first.

        Raises:
            ValueError: the id is none.
        """
        return [as_message(record) for record in self.journal.find(identity)]


async def _ask(probe: Probe) -> tuple[float, str]:
    """How many milliseconds a part took, and why it failed, if it did."""
    started = time.perf_counter()
    reason = ""
    try:
        async with asyncio.timeout(PING_S):
            await probe.ping()
    except MeshError as error:
        reason = error.reason
    except TimeoutError:
        reason = "DEADLINE_EXCEEDED"
    except Exception:  # noqa: BLE001 - a health report tells of every failure and stops at none
        reason = "STORE_UNAVAILABLE"
    return (time.perf_counter() - started) * 1000, reason


def dashboard(called: Sequence[Series]) -> list[tuple[str, float]]:
    """Counts of binding calls under the metric names of the original system's dashboard."""
    total = sum(series.call_count for series in called)
    failed = sum(series.failure_count for series in called)
    timeouts = sum(series.timeout_count for series in called)
    seconds = sum(series.latency.total_s for series in called)
    metrics = [
        ("service_binding_calls_total", float(total)),
        ("service_binding_calls_successful", float(total - failed)),
        ("service_binding_calls_failed", float(failed)),
        ("service_binding_avg_response_time", seconds * 1000 / total if total else 0.0),
        ("binding_failure_rate", failed / total if total else 0.0),
        ("binding_timeout_rate", timeouts / total if total else 0.0),
        ("circuit_breaker_trips", float(sum(series.circuit_open for series in called))),
    ]
    by_binding: dict[str, int] = {}
    for series in called:
        by_binding[series.binding] = by_binding.get(series.binding, 0) + series.call_count
    return metrics + [(f"{binding.lower()}_calls", float(count)) for binding, count in by_binding.items()]


def _call_stats(series: Series) -> stats_pb2.CallStats:
    return stats_pb2.CallStats(
        method=series.method,
        binding=series.binding,
        service=series.service,
        call_count=series.call_count,
        failure_count=series.failure_count,
        active_count=series.active,
        latency=_latency(series.latency),
        codes=[stats_pb2.CodeCount(code=code, call_count=count) for code, count in sorted(series.codes.items())],
        timeout_count=series.timeout_count,
        circuit_open_count=series.circuit_open,
    )


def _latency(histogram: Histogram) -> stats_pb2.Latency:
    return stats_pb2.Latency(
        mean_ms=histogram.mean_s() * 1000,
        p50_ms=histogram.quantile_s(0.5) * 1000,
        p95_ms=histogram.quantile_s(0.95) * 1000,
        p99_ms=histogram.quantile_s(0.99) * 1000,
        max_ms=histogram.max_s * 1000,
    )


def _breaker(worker: str, name: str, breaker: Breaker) -> admin_pb2.Breaker:
    binding, _, method = name.partition("/")
    measured = breaker.measured()
    return admin_pb2.Breaker(
        name=name,
        caller=worker,
        binding=binding,
        method=method,
        state=_state(breaker.state),
        consecutive_failure_count=breaker.consecutive_failures,
        permitted_count=breaker.permitted_count,
        refused_count=breaker.refused_count,
        change_time=_on_the_wall(breaker.changed_at),
        reopen_ms=round(breaker.retry_after_s() * 1000),
        window_call_count=measured.calls,
        failure_rate=measured.failure_rate,
        slow_rate=measured.slow_rate,
        last_event=None if breaker.last_event is None else _breaker_event(breaker.last_event),
    )


def _breaker_event(event: Event) -> admin_pb2.BreakerEvent:
    return admin_pb2.BreakerEvent(
        event_time=_on_the_wall(event.at), old_state=_state(event.old), new_state=_state(event.new), why=event.why
    )


def _state(state: BreakerState) -> admin_pb2.BreakerState.ValueType:
    return admin_pb2.BreakerState.Value(f"BREAKER_STATE_{state.value}")


def _on_the_wall(at: float) -> Timestamp:
    """A breaker runs on a clock that no person reads; its times are told as the same distance from now."""
    return _timestamp(time.time() - (time.monotonic() - at))


def _timestamp(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp
