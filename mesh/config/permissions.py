"""Who may call what: the manifests, read as permissions.

A service may call exactly the entrypoints that it binds to. People may call the default entrypoints that the address
book marks public, and an operator every entrypoint. Nobody else may call anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mesh.config.manifest import DEFAULT_ENTRYPOINT, Manifest


@dataclass(frozen=True, slots=True)
class Door:
    """Who may call one entrypoint."""

    callers: frozenset[str] = frozenset()
    """The services that bind to it."""
    public: bool = False
    """People may call it, too."""


class _Everybody(frozenset[str]):
    """A set that has every name in it."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYBODY = Door(_Everybody(), public=True)
"""The door of what nobody need be kept from: a service's health, and what stands alone in a test or a benchmark."""


def doors(manifests: Collection[Manifest], public: Collection[str]) -> Mapping[tuple[str, str], Door]:
    """The door of every entrypoint that somebody may call, by service and entrypoint; any other is a closed one.

    Args:
        manifests: of every service.
        public: the services whose default entrypoint is open to people.
    """
    callers: dict[tuple[str, str], set[str]] = {(service, DEFAULT_ENTRYPOINT): set() for service in public}
    for manifest in manifests:
        for binding in manifest.services:
            callers.setdefault((binding.service, binding.entrypoint), set()).add(manifest.name)
    return {
        key: Door(frozenset(names), public=key[1] == DEFAULT_ENTRYPOINT and key[0] in public)
        for key, names in callers.items()
    }
