"""What a manifest sets for one of its entrypoints under `[mesh.entrypoints.NAME]`: its keys and their defaults."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from mesh.config.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrypointSettings:
    """How much an entrypoint takes on; the same in process and over the wire."""

    max_concurrent: int = 256
    """Calls that run at once, at least 1. Streams have as many places of their own."""
    queue: int = 128
    """Calls that may wait for a place."""
    queue_ms: int = 500
    """Milliseconds that one waits at most, at least 1."""
    batch_share: float = 0.75
    """The share of the places that batch work may take, 0.01 to 1."""
    rate_per_s: float = 0.0
    """Calls a second that one caller may make; 0 is any number."""
    burst: int = 100
    """Calls that one caller may make at once, at least 1."""


def read_entrypoint(tables: Iterable[Table]) -> EntrypointSettings:
    """The settings that tables say, the last of them first, and the defaults for the rest; faults are noted."""
    settings = EntrypointSettings()
    for table in tables:
        table.only([each.name for each in fields(EntrypointSettings)])
        said = {
            **{name: table.whole(name, least=1) for name in ("max_concurrent", "queue_ms", "burst")},
            "queue": table.whole("queue", least=0),
            "batch_share": table.number("batch_share", least=0.01, most=1),
            "rate_per_s": table.number("rate_per_s", least=0, most=1e9),
        }
        # mypy can't see that each key has the type of its field.
        settings = replace(settings, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]
    return settings
