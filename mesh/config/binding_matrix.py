"""The binding matrix, the table of who is bound to what: the only place that makes and prints it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from mesh.config.manifest import Manifest

NONE = "(none)"
"""What stands in place of the bindings of a service that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One binding of one service."""

    service: str
    """The service that has the binding."""
    binding: str
    """The binding's name; empty in the one row of a service that has no binding."""
    kind: Literal["service", "kv", "bucket", "secret", "none"]
    target: str = ""
    """The service, id, bucket or secret that is bound, by name."""
    entrypoint: str = ""
    """The entrypoint of a bound service."""


def matrix(manifests: Iterable[Manifest]) -> tuple[Row, ...]:
    """The rows of all services, in the order of the manifests, and in each the services first."""
    return tuple(row for manifest in manifests for row in (tuple(_rows(manifest)) or (_no_binding(manifest),)))


def render_matrix(rows: Sequence[Row]) -> str:
    """The rows as a table of text with a head, columns aligned, without an end of line at its end."""
    lines = [("SERVICE", "BINDING", "KIND", "TARGET", "ENTRYPOINT")]
    lines += [(row.service, row.binding or NONE, row.kind, row.target, row.entrypoint) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def as_json(rows: Iterable[Row]) -> list[dict[str, str]]:
    """The rows as JSON has them, one object each, with the fields of Row."""
    return [asdict(row) for row in rows]


def _no_binding(manifest: Manifest) -> Row:
    return Row(service=manifest.name, binding="", kind="none")


def _rows(manifest: Manifest) -> Iterator[Row]:
    name = manifest.name
    for to in manifest.services:
        yield Row(service=name, binding=to.binding, kind="service", target=to.service, entrypoint=to.entrypoint)
    for kv in manifest.kv_namespaces:
        yield Row(service=name, binding=kv.binding, kind="kv", target=kv.id)
    for bucket in manifest.r2_buckets:
        yield Row(service=name, binding=bucket.binding, kind="bucket", target=bucket.bucket_name)
    for secret in manifest.secrets:
        yield Row(service=name, binding=secret.binding, kind="secret", target=secret.secret_name)
