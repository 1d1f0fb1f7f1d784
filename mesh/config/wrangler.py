"""The words of wrangler's configuration: the only place that knows which of them mean something here.

Source of the words: https://developers.cloudflare.com/workers/wrangler/configuration/. What wrangler has no word for
stands under `[mesh]`. A key that wrangler knows and that has no meaning here is accepted and listed; any other key is
a problem, since it is most likely a slip of the pen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mesh.config.cron import cron_fault
from mesh.config.table import Table, Value

_IGNORED = """
$schema account_id ai alias analytics_engine_datasets assets base_dir browser build cache cloudchamber
compatibility_date compatibility_flags compliance_region constellation containers d1_databases data_blobs define dev
dispatch_namespaces durable_objects exports find_additional_modules first_party_worker hyperdrive images jsx_factory
jsx_fragment keep_names keep_vars legacy_env limits logfwdr logpush media migrations minify mtls_certificates
no_bundle node_compat observability pages_build_output_dir pipelines placement preserve_file_names preview_urls
python_modules queues ratelimits route routes rules secrets send_email send_metrics site streaming_tail_consumers
tail_consumers text_blobs tsconfig unsafe upload_source_maps usage_model vectorize version_metadata vpc_services
wasm_modules worker_loaders workers_dev workflows zone_id
"""

IGNORED = frozenset(_IGNORED.split())
"""Keys of wrangler that have no meaning here, at the top of a manifest and of an environment."""

BINDING_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""A binding becomes a field of Env; capitals tell it from everything else."""

SERVICE_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
"""Wrangler's rule for the name of a Worker, at the length of a DNS label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of binding: the key it stands under, and the keys of its entries."""

    key: str
    needed: tuple[str, ...]
    """Texts that an entry must have, if not here then in the entry that it overrides."""
    optional: tuple[str, ...] = ()
    """Texts that it may have."""
    tables: tuple[str, ...] = ()
    """Tables that it may have."""
    ignored: tuple[str, ...] = ("remote",)
    """Keys of wrangler without meaning here."""


SERVICES = Kind(
    key="services",
    needed=("service",),
    optional=("entrypoint",),
    tables=("props",),
    ignored=("environment", "remote"),
)
KV_NAMESPACES = Kind(key="kv_namespaces", needed=("id",), ignored=("preview_id", "remote"))
R2_BUCKETS = Kind(key="r2_buckets", needed=("bucket_name",), ignored=("preview_bucket_name", "jurisdiction", "remote"))
SECRETS = Kind(key="secrets_store_secrets", needed=("secret_name",), optional=("store_id",))
KINDS = (SERVICES, KV_NAMESPACES, R2_BUCKETS, SECRETS)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manifest says of one binding; not all of it, where it overrides another entry."""

    where: str
    """Its place, as Problem has it."""
    texts: Mapping[str, str]
    props: Mapping[str, Value] | None = None

    def over(self, base: "Entry | None") -> "Entry":
        """This entry, with what only the base says."""
        if base is None:
            return self
        props = base.props if self.props is None else self.props
        return Entry(self.where, {**base.texts, **self.texts}, props)


@dataclass(frozen=True, slots=True)
class Var:
    """One variable and its place."""

    where: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All that stands at the top of a manifest, or in one environment of it; None is what it does not say."""

    name: str | None
    main: str | None
    entries: Mapping[str, Mapping[str, Entry]]
    """Per kind, by binding name."""
    vars: Mapping[str, Var]
    crons: tuple[str, ...] | None
    leaf: bool | None
    settings: tuple[tuple[str, Table], ...]
    """The tables under [mesh.bindings], each with its binding name; a later one overrides an earlier one."""
    entrypoints: tuple[tuple[str, Table], ...]
    """The same under [mesh.entrypoints], by the entrypoint's name."""
    ignored: tuple[str, ...]

    def over(self, base: "Scope") -> "Scope":
        """An environment's scope laid over the top's.

        Bindings and vars override by name, and an entry key by key: what an environment does not say stays as it was.
        (Wrangler inherits no binding at all, so that each environment repeats them; repeating them works here too.)
        """
        return replace(
            base,
            name=self.name or base.name,
            main=self.main or base.main,
            entries={key: _merged(base.entries[key], self.entries[key]) for key in base.entries},
            vars={**base.vars, **self.vars},
            crons=base.crons if self.crons is None else self.crons,
            leaf=base.leaf if self.leaf is None else self.leaf,
            settings=(*base.settings, *self.settings),
            entrypoints=(*base.entrypoints, *self.entrypoints),
            ignored=(*base.ignored, *self.ignored),
        )


def read_scope(table: Table, *, has_environments: bool) -> Scope:
    """Reads the top of a manifest, which has environments, or one environment, which has none; faults are noted."""
    known = {"name", "main", "vars", "triggers", "mesh", *(kind.key for kind in KINDS)}
    ignored = list(table.only({*known, "env"} if has_environments else known, IGNORED))
    name = table.text("name")
    if name and not SERVICE_NAME.fullmatch(name):
        table.note("name", f"{name!r} is no service name. Use a-z, 0-9, '-' and '_', at most 63 in all.")
    entries = {kind.key: _read_entries(table, kind, ignored) for kind in KINDS}
    mesh = table.table("mesh") or Table(values={}, file=table.file, problems=table.problems, path="mesh")
    mesh.only(("leaf", "bindings", "entrypoints"))
    return Scope(
        name=name,
        main=table.text("main"),
        entries=entries,
        vars=_read_vars(table.table("vars")),
        crons=_read_crons(table.table("triggers")),
        leaf=mesh.flag("leaf"),
        settings=tuple(mesh.tables("bindings")),
        entrypoints=tuple(mesh.tables("entrypoints")),
        ignored=tuple(ignored),
    )


def _merged(base: Mapping[str, Entry], over: Mapping[str, Entry]) -> Mapping[str, Entry]:
    return {**base, **{name: entry.over(base.get(name)) for name, entry in over.items()}}


def _read_entries(table: Table, kind: Kind, ignored: list[str]) -> Mapping[str, Entry]:
    found: dict[str, Entry] = {}
    for name, item in _named(table, kind):
        if not BINDING_NAME.fullmatch(name):
            item.note("binding", f"{name!r} is no binding name. Use capitals, digits and '_', with a letter first.")
        if name in found:
            item.note("binding", f"{name!r} is declared twice. Keep one of the two.")
        texts = {key: value for key in (*kind.needed, *kind.optional) if (value := item.text(key)) is not None}
        props = [item.value(key) for key in kind.tables if item.table(key) is not None]
        ignored += item.only(("binding", *kind.needed, *kind.optional, *kind.tables), kind.ignored)
        mapping = props[0] if props and isinstance(props[0], Mapping) else None
        found[name] = Entry(f"{item.file}:{item.path}", texts, mapping)
    return found


def _named(table: Table, kind: Kind) -> Iterator[tuple[str, Table]]:
    """The entries of a kind in either form: `NAME = { ... }` in a table, or `{ binding = NAME, ... }` in a list."""
    if isinstance(table.values.get(kind.key), dict):
        yield from table.tables(kind.key)
        return
    for item in table.items(kind.key):
        name = item.text("binding")
        if name is None:
            item.note("binding", "is missing. It is the name that the service knows this binding by.")
        elif name:
            yield name, item


def _read_vars(table: Table | None) -> Mapping[str, Var]:
    found: dict[str, Var] = {}
    if table is None:
        return found
    for name in table.values:
        if not BINDING_NAME.fullmatch(name):
            table.note(name, "is no name for a var. Use capitals, digits and '_', with a letter first.")
        value = table.value(name)
        if value is not None:
            found[name] = Var(table.where(name), value)
    return found


def _read_crons(table: Table | None) -> tuple[str, ...] | None:
    if table is None:
        return None
    table.only(("crons",))
    crons = table.texts("crons")
    for fault in filter(None, map(cron_fault, crons or ())):
        table.note("crons", f"{fault}.")
    return crons
