"""The graph that the manifests' bindings make: the only place that says whether it holds together.

Pure: manifests and an address book in, problems out. What the graph looks like is printed by binding_matrix.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from mesh.config.address import is_here
from mesh.config.address_book import AddressBook
from mesh.config.binding_matrix import Row, as_json, matrix, render_matrix
from mesh.config.book_entries import flat
from mesh.config.graph import walk
from mesh.config.manifest import DEFAULT_ENTRYPOINT, Manifest
from mesh.config.problems import ConfigurationError, Problem, did_you_mean

__all__ = ["MAX_CHAIN", "Row", "as_json", "check", "matrix", "render_matrix", "start_order"]

MAX_CHAIN = 3
"""Services that may stand in one chain of bindings; the system that this one replaces advises 2 to 3 levels."""

ADMIN_ENTRYPOINT = "Admin"
"""The entrypoint on the address of its own."""


def check(manifests: Sequence[Manifest], book: AddressBook, env: str | None) -> list[Problem]:
    """Everything that does not hold together between manifests, and between them and the address book.

    A service whose manifest could not be read may be missing in `manifests`; the address book still knows its name.

    Args:
        manifests: those that the address book names, read for `env`.
        book: the address book, read for `env`.
        env: the environment that was asked for.
    """
    return [
        *_unknown_environment(manifests, book, env),
        *_names(manifests, book),
        *(problem for manifest in manifests for problem in _targets(manifest, manifests, book)),
        *_in_plain_text(book),
        *_shape(manifests),
        *_unused(manifests, book),
    ]


def start_order(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """The services' names, leaves first, so that each starts after all that it binds to.

    Raises:
        ConfigurationError: they bind in a circle, so there is no such order.
    """
    found = walk(_graph(manifests))
    if found.cycles:
        raise ConfigurationError(_shape(manifests))
    return found.order


def _graph(manifests: Iterable[Manifest]) -> dict[str, list[str]]:
    """Who binds to whom, among the services there are; a service's own Admin does not count."""
    bound = {manifest.name: [service.service for service in manifest.services] for manifest in manifests}
    return {name: [target for target in dict.fromkeys(targets) if target in bound] for name, targets in bound.items()}


def _unknown_environment(manifests: Sequence[Manifest], book: AddressBook, env: str | None) -> Iterator[Problem]:
    known = {*book.environments, *(name for manifest in manifests for name in manifest.environments)}
    if env is not None and env not in known:
        what = f"neither it nor a manifest has the environment {env!r}.{did_you_mean(env, known)}"
        yield Problem(f"{book.path}:env", what)


def _names(manifests: Sequence[Manifest], book: AddressBook) -> Iterator[Problem]:
    """Services that share a name, and names on which manifest and address book don't agree."""
    listed = {flat(service.manifest): service for service in book.services.values()}
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        where = f"{manifest.path}:name"
        service = listed.get(flat(manifest.path))
        if first.setdefault(manifest.name, manifest) is not manifest:
            other = first[manifest.name].path
            yield Problem(where, f"{manifest.name!r} is the name in {other} too. Rename one of the two.")
        elif service is not None and service.name != manifest.name:
            what = f"is the address of {service.name!r}, but its manifest says {manifest.name!r}. Use one name in both."
            yield Problem(service.where, what)
        elif manifest.name not in book.services:
            yield Problem(where, f"{manifest.name!r} has no address. Add [services.{manifest.name}] to {book.path}.")


def _targets(manifest: Manifest, manifests: Sequence[Manifest], book: AddressBook) -> Iterator[Problem]:
    """Bindings that lead nowhere."""
    known = {*book.services, *(other.name for other in manifests)}
    for binding in manifest.services:
        place = f"{manifest.path}:services.{binding.binding}"
        if binding.service not in known:
            what = f"there is no service {binding.service!r}.{did_you_mean(binding.service, known - {manifest.name})}"
            yield Problem(f"{place}.service", what)
        if binding.entrypoint not in {DEFAULT_ENTRYPOINT, ADMIN_ENTRYPOINT}:
            what = f"{binding.entrypoint!r} is no entrypoint that has an address. Use 'Default' or 'Admin'."
            yield Problem(f"{place}.entrypoint", what)


def _in_plain_text(book: AddressBook) -> Iterator[Problem]:
    """What other machines could read along, or call without proving anything."""
    if book.tls.people:
        return
    for service in book.services.values():
        for key in ("default", "admin"):
            found = {getattr(replica, key) for replica in service.replicas}
            for address in found:
                if address is not None and not is_here(address.target):
                    what = (
                        f"{address.target} can be reached from other machines, and people are served in plain text. "
                        "Use a loopback address, or set `people = true` under [tls]."
                    )
                    yield Problem(f"{service.where}.{key}", what)


def unreachable(manifests: Iterable[Manifest], book: AddressBook, here: Collection[str]) -> Iterator[Problem]:
    """Services that others have to call over the wire, and that have no address for it.

    Args:
        manifests: of every service.
        book: where they are.
        here: the services that run in one process; what is not in it runs elsewhere.
    """
    for manifest in manifests:
        for binding in manifest.services:
            target = book.services[binding.service]
            if manifest.name in here and binding.service not in here and not target.mesh_addresses():
                what = f"is missing. {manifest.name} calls it there, from another process: HOST:PORT, or unix:PATH."
                yield Problem(f"{target.where}.mesh", what)


def _shape(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """Leaves that bind, circles, and chains that are too deep."""
    named = {manifest.name: manifest for manifest in manifests}
    for manifest in manifests:
        if manifest.leaf and manifest.services:
            names = ", ".join(binding.binding for binding in manifest.services)
            what = f"{manifest.name!r} is declared a leaf, and binds to services: {names}. Drop one or the other."
            yield Problem(f"{manifest.path}:mesh.leaf", what)
    graph = _graph(manifests)
    found = walk(graph)
    for cycle in found.cycles:
        what = f"bind in a circle: {' -> '.join(cycle)}. Remove one of these bindings."
        yield Problem(f"{named[cycle[-2]].path}:services", what)
    # What others bind to is part of their chains, so only a first link is worth a word.
    bound = {target for targets in graph.values() for target in targets}
    for name, chain in found.chains.items():
        if len(chain) > MAX_CHAIN and name not in bound:
            what = f"begin a chain of {len(chain)} services, where {MAX_CHAIN} are allowed: {' -> '.join(chain)}."
            yield Problem(f"{named[name].path}:services", what)


def _unused(manifests: Sequence[Manifest], book: AddressBook) -> Iterator[Problem]:
    """What the address book says of things that no manifest has; most likely a slip of the pen."""
    if len(manifests) < len(book.services):
        # A manifest that could not be read may have them.
        return
    secrets = {secret.secret_name for manifest in manifests for secret in manifest.secrets}
    names = {name for manifest in manifests for name in manifest.vars}
    for stand_in in book.stand_ins:
        if stand_in.secret_name not in secrets:
            hint = did_you_mean(stand_in.secret_name, secrets)
            yield Problem(stand_in.where, f"waits for a secret that no manifest has.{hint}")
        for name in stand_in.vars:
            if name not in names:
                yield Problem(f"{stand_in.where}.vars.{name}", f"no manifest has this var.{did_you_mean(name, names)}")
    ids = {kv.id for manifest in manifests for kv in manifest.kv_namespaces}
    buckets = {bucket.bucket_name for manifest in manifests for bucket in manifest.r2_buckets}
    for key, said, used in (("kv", book.kv, ids), ("buckets", book.buckets, buckets)):
        for name in said:
            # One that no manifest has may be another environment's; one that resembles it too much is a mistake.
            near = "" if name in used or name == "default" else did_you_mean(name, used - said.keys())
            if near:
                yield Problem(f"{book.path}:{key}.{name}", f"no manifest has this name.{near}")
