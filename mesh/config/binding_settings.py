"""What a manifest sets for one service binding under `[mesh.bindings.NAME]`: the only place for its keys and defaults.

A setting that a later layer needs gets its field in BindingSettings, with a default that is right for a newcomer, and
its line in `read_settings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from mesh.config.breaker_settings import DURATIONS, STEEPEST, BreakerSettings
from mesh.config.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How often a call is tried that the contract says may be tried twice."""

    attempts: int = 3
    """Tries of one call, the first among them; 1 tries nothing again."""
    backoff_ms: int = 50
    """Milliseconds that the first pause takes at most; each is twice as long as the last, and chance shortens it."""
    longest_backoff_ms: int = 1_000
    """Milliseconds that no pause is longer than."""
    budget: float = 0.2
    """The share of the binding's calls of the last ten seconds that may be second tries, 0 to 1."""
    least: int = 3
    """Second tries in ten seconds that are always allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeSettings:
    """Whether a late answer is asked for a second time, for methods that may be called twice."""

    enabled: bool = False
    """Off, for a second attempt is load that somebody should have decided on."""
    quantile: float = 0.95
    """The share of the latest answers that came sooner than the second attempt is made, 0.5 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSettings:
    """How calls through one binding behave; the same in process and over the wire."""

    deadline_ms: int = 10_000
    """Milliseconds that a call may take when its caller names no deadline, at least 1."""
    reserve_ms: int = 10
    """Milliseconds of its own caller's time that a service keeps to answer in, or a tenth of them if that is less."""
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    """When the binding's circuit breaker opens, and for how long."""
    retry: RetrySettings = field(default_factory=RetrySettings)
    """What is tried again, and how often."""
    hedge: HedgeSettings = field(default_factory=HedgeSettings)
    """Whether late answers are asked for again."""
    methods: Mapping[str, "BindingSettings"] = field(default_factory=lambda: MappingProxyType({}))
    """Methods that behave otherwise, by name."""

    def of(self, method: str) -> "BindingSettings":
        """The settings of one method."""
        return self.methods.get(method, self)


def read_settings(table: Table, base: BindingSettings) -> BindingSettings:
    """The settings that a table says, and those of `base` for all that it does not say; faults are noted."""
    table.only(("deadline_ms", "reserve_ms", "breaker", "retry", "hedge", "methods"))
    said = _read_own(table, base)
    below = table.table("methods")
    # What an environment says of the binding holds for its methods too, unless it says otherwise of them.
    methods = {name: _read_own(table, settings) for name, settings in base.methods.items()}
    if below is not None:
        for name in below.values:
            method = below.table(name)
            if method is not None:
                method.only(("deadline_ms", "reserve_ms", "breaker", "retry", "hedge"))
                methods[name] = _read_own(method, methods.get(name, said))
    return replace(said, methods=MappingProxyType(methods))


def _read_own(table: Table, base: BindingSettings) -> BindingSettings:
    deadline_ms, reserve_ms = table.whole("deadline_ms", least=1), table.whole("reserve_ms", least=0)
    breaker, retry, hedge = table.table("breaker"), table.table("retry"), table.table("hedge")
    return BindingSettings(
        deadline_ms=base.deadline_ms if deadline_ms is None else deadline_ms,
        reserve_ms=base.reserve_ms if reserve_ms is None else reserve_ms,
        breaker=base.breaker if breaker is None else _read_breaker(breaker, base.breaker),
        retry=base.retry if retry is None else _read_retry(retry, base.retry),
        hedge=base.hedge if hedge is None else _read_hedge(hedge, base.hedge),
    )


def _read_retry(table: Table, base: RetrySettings) -> RetrySettings:
    table.only([each.name for each in fields(RetrySettings)])
    said = {
        "attempts": table.whole("attempts", least=1),
        "backoff_ms": table.whole("backoff_ms", least=1),
        "longest_backoff_ms": table.whole("longest_backoff_ms", least=1),
        "budget": table.number("budget", least=0, most=1),
        "least": table.whole("least", least=0),
    }
    # mypy can't see that each key has the type of its field, here and below.
    return replace(base, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]


def _read_hedge(table: Table, base: HedgeSettings) -> HedgeSettings:
    table.only([each.name for each in fields(HedgeSettings)])
    said = {"enabled": table.flag("enabled"), "quantile": table.number("quantile", least=0.5, most=1)}
    return replace(base, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]


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
    return replace(base, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]
