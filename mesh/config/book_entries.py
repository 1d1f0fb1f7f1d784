"""One service or one stand-in of the address book: the only place that knows the keys of their entries."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from mesh.config.address import Address, parse_address
from mesh.config.overlay import Overlay
from mesh.config.table import Table, Value

_NOWHERE = Address("tcp", ":0")
"""Stands for an address that was noted as faulty."""


@dataclass(frozen=True, slots=True)
class Replica:
    """Where one process of a service listens."""

    default: Address
    """Its Default entrypoint."""
    admin: Address | None
    """Its Admin entrypoint; None when people can't reach that."""
    mesh: Address | None = None
    """All of its entrypoints, for services and operators that show a certificate; None when nobody calls it there."""

    def entrypoint(self, name: str) -> Address | None:
        """Where people find an entrypoint."""
        return self.default if name == "Default" else self.admin


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """Where one service is."""

    name: str
    manifest: Path
    """Its manifest, which says the same name."""
    default: Address
    """Where its Default entrypoint listens for people."""
    admin: Address | None
    """Where its Admin entrypoint listens for people; None when they can't reach it."""
    mesh: Address | None = None
    """Where all of its entrypoints listen for other services and for operators' certificates."""
    public: bool = False
    """Whether people may call its Default entrypoint."""
    where: str
    """The entry's place in the address book, as Problem has it."""
    others: tuple[Replica, ...] = ()
    """Its other replicas; `default`, `admin` and `mesh` are the first one's."""

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Every process that this service runs in, the first first."""
        return (Replica(self.default, self.admin, self.mesh), *self.others)

    def addresses(self, entrypoint: str) -> tuple[Address, ...]:
        """Where people find an entrypoint: one address for each replica; none when it has none."""
        found = (replica.entrypoint(entrypoint) for replica in self.replicas)
        return tuple(address for address in found if address is not None)

    def mesh_addresses(self) -> tuple[Address, ...]:
        """Where other services find it: one address for each replica; none when it has none."""
        return tuple(replica.mesh for replica in self.replicas if replica.mesh is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A program that takes the place of a provider while the provider's secret is unset."""

    secret_name: str
    """The secret, as the sources of secrets call it."""
    module: str
    """What `python -m` runs beside the services."""
    address: Address
    """Where it listens."""
    arguments: tuple[str, ...]
    secret: str = field(repr=False)
    """What the secret resolves to meanwhile."""
    vars: Mapping[str, Value]
    """What the vars of services that declare them are meanwhile."""
    where: str
    """The entry's place in the address book, as Problem has it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What relative paths are relative to."""

    root: Path
    """The directory of the address book."""
    said: Path
    """Where the address book puts data."""
    data: Path
    """Where data is."""

    @classmethod
    def of(cls, path: Path, said: str, data: Path | None) -> "Ground":
        """The ground of an address book at `path` that says where data is, unless `data` is told to be elsewhere."""
        root = path.parent.absolute()
        there = flat(root / said)
        return cls(root, there, there if data is None else flat(data.absolute()))

    def place(self, text: str) -> Path:
        """An absolute path; what lies in the data directory moves with it."""
        path = flat(self.root / text)
        return self.data / path.relative_to(self.said) if path.is_relative_to(self.said) else path


def flat(path: Path) -> Path:
    """A path without dots, found without asking the file system."""
    return Path(os.path.normpath(path))


def read_service(name: str, entry: Overlay, path: Path, ground: Ground) -> ServiceAddress:
    """Reads [services.NAME]; faults are noted. `path` is the address book's."""
    entry.only(("manifest", "default", "admin", "mesh", "public"))
    manifest = entry.said("manifest", Table.text)
    if manifest is None:
        entry.note("manifest", "is missing. It is the path of the service's service.toml.")
    # Path.is_file raises for a name that is too long.
    elif manifest and not os.path.isfile(path.parent / manifest):  # noqa: PTH113 - see above
        entry.note("manifest", f"names {manifest!r}, and there is no such file.")
    defaults, admins = _addresses(entry, "default", ground), _addresses(entry, "admin", ground)
    if defaults is None:
        entry.note("default", "is missing. It is where the service listens: HOST:PORT, or unix:PATH.")
    defaults = defaults or (_NOWHERE,)
    meshes = _addresses(entry, "mesh", ground)
    for key, found in (("admin", admins), ("mesh", meshes)):
        if found is not None and len(found) != len(defaults):
            entry.note(key, f"has {len(found)} where `default` has {len(defaults)}. Give each replica one of both.")
    nothing = (None,) * len(defaults)
    replicas = [Replica(*each) for each in zip(defaults, admins or nothing, meshes or nothing, strict=False)]
    return ServiceAddress(
        name=name,
        manifest=path.parent / (manifest or name),
        default=replicas[0].default,
        admin=replicas[0].admin,
        mesh=replicas[0].mesh,
        public=entry.said("public", Table.flag) or False,
        where=entry.place(),
        others=tuple(replicas[1:]),
    )


def _addresses(entry: Overlay, key: str, ground: Ground) -> tuple[Address, ...] | None:
    """One address, or a list of them: one for each replica."""
    texts = entry.said(key, _one_or_more)
    return None if texts is None else tuple(_parsed(entry, key, text, ground) for text in texts or ("",))


def _one_or_more(table: Table, key: str) -> tuple[str, ...] | None:
    if isinstance(table.values.get(key), list):
        texts = table.texts(key)
        if not table.values[key] or (texts and not all(texts)):
            table.note(key, "must hold an address for each replica.")
        return texts
    text = table.text(key)
    return None if text is None else (text,)


def _address(entry: Overlay, key: str, ground: Ground) -> Address | None:
    text = entry.said(key, Table.text)
    return None if text is None else _parsed(entry, key, text, ground)


def _parsed(entry: Overlay, key: str, text: str, ground: Ground) -> Address:
    if not text:
        return _NOWHERE
    try:
        return parse_address(text, ground.place)
    except ValueError as error:
        entry.note(key, str(error))
        return _NOWHERE


def read_stand_in(name: str, entry: Overlay, ground: Ground) -> StandIn:
    """Reads [stand_ins.NAME]; faults are noted."""
    entry.only(("module", "address", "arguments", "secret", "vars"))
    module, secret = entry.said("module", Table.text), entry.said("secret", Table.text)
    if module is None:
        entry.note("module", "is missing. It is what `python -m` runs.")
    elif module and not all(map(str.isidentifier, module.split("."))):
        entry.note("module", f"{module!r} is no name of a Python module.")
    if secret is None:
        entry.note("secret", "is missing. It is what the secret resolves to while the stand-in runs.")
    address = _address(entry, "address", ground)
    if address is None:
        entry.note("address", "is missing. It is where the stand-in listens: HOST:PORT.")
    elif address.kind == "unix":
        entry.note("address", "is a socket, where a stand-in speaks HTTP over TCP. Write HOST:PORT.")
    return StandIn(
        secret_name=name,
        module=module or "",
        address=address or _NOWHERE,
        arguments=entry.said("arguments", Table.texts) or (),
        secret=secret or "",
        vars=_vars(entry.below("vars")),
        where=entry.place(),
    )


def _vars(said: Overlay) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for table in said.tables:
        for key in table.values:
            value = table.value(key)
            if value is not None:
                found[key] = value
    return MappingProxyType(found)
