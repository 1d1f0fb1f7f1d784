"""What a manifest sets for one service binding under `[mesh.bindings.NAME]`: the only place for its keys and defaults.

A setting that a later layer needs gets its field in BindingSettings, with a default that is right for a newcomer, and
its line in `read_settings`.
"""

from dataclasses import dataclass, field, fields, replace

from mesh.breaker_settings import DURATIONS, STEEPEST, BreakerSettings
from mesh.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSettings:
    """How calls through one binding behave; the same in process and over the wire."""

    deadline_ms: int = 10_000
    """Milliseconds that a call may take when its caller names no deadline, at least 1."""
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    """When the binding's circuit breaker opens, and for how long."""


def read_settings(table: Table, base: BindingSettings) -> BindingSettings:
    """The settings that a table says, and those of `base` for all that it does not say; faults are noted."""
    table.only(("deadline_ms", "breaker"))
    deadline_ms = table.whole("deadline_ms", least=1)
    breaker = table.table("breaker")
    return BindingSettings(
        deadline_ms=base.deadline_ms if deadline_ms is None else deadline_ms,
        breaker=base.breaker if breaker is None else _read_breaker(breaker, base.breaker),
    )


def _read_breaker(table: Table, base: BreakerSettings) -> BreakerSettings:
    table.only([each.name for each in fields(BreakerSettings)])
    said = {
        "consecutive_failures": table.whole("consecutive_failures", least=0),
        **{name: table.number(name, least=0, most=1) for name in ("failure_rate", "slow_rate", "jitter")},
        **{name: table.whole(name, least=1) for name in ("buckets", "minimum_calls", "probes")},
        **{name: table.seconds(name) for name in DURATIONS},
        "growth": table.number("growth", least=1, most=STEEPEST),
        **{name: table.flag(name) for name in ("enabled", "enforced")},
    }
    # mypy can't see that each key has the type of its field.
    return replace(base, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]
