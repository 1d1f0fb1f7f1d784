"""Props of a binding: what the caller's manifest tells the callee of its caller; the only place that looks them up.

Nothing that a caller sends says what its props are. In process they come with the binding itself. Over the wire a call
names its binding, and the callee reads the manifest of the caller that has proven who it is: a caller can pick one of
its own bindings to this very entrypoint, each of which was given to it, and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mesh.config.table import Value

if TYPE_CHECKING:
    from mesh.config.manifest import Manifest

Props = Mapping[str, Value]
"""Frozen to its depths, so every call of a binding can share it."""

NO_PROPS: Props = MappingProxyType({})

PropsFor = Callable[[str, str], Props]
"""From a caller's proven identity and the name of its binding to the props of that binding."""

BINDING_KEY = "x-bookmesh-binding"
"""Metadata with the name of the binding that a call over the wire came through; a hint, which proves nothing."""


def no_props(_identity: str, _binding: str) -> Props:
    """A PropsFor where no manifest is at hand."""
    return NO_PROPS


def props_for(manifests: Iterable["Manifest"], service: str, entrypoint: str) -> PropsFor:
    """What all manifests say to one entrypoint.

    Args:
        manifests: of every service that may call.
        service: the name of the service that is called.
        entrypoint: its entrypoint; what is said to another one does not count here.
    """
    said = {
        (manifest.name, to.binding): to.props
        for manifest in manifests
        for to in manifest.services
        if (to.service, to.entrypoint) == (service, entrypoint) and to.props
    }

    def find(identity: str, binding: str) -> Props:
        return said.get((identity, binding), NO_PROPS)

    return find
