"""The binding graph, services and stores with the bindings between them: the only place that makes and draws it.

Who is bound to what as a table is binding_matrix's; whether the graph may be as it is, is topology's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from mesh.config.manifest import DEFAULT_ENTRYPOINT, Manifest

_SHAPES = {"service": '["{}"]', "leaf": '(["{}"])', "kv": '[("{}")]', "bucket": '[("{}")]', "unknown": '>"{}"]'}
"""How Mermaid draws a node of a kind: a box, a rounded one, a cylinder for stores, a torn one for what is not there.

Source: https://mermaid.js.org/syntax/flowchart.html#node-shapes
"""


_NOTES = {"leaf": " (leaf)", "unknown": " (there is no such service)"}


@dataclass(frozen=True, slots=True)
class Node:
    """A service or a store."""

    name: str
    """The service's name, the id of a key-value store or the name of a bucket."""
    kind: Literal["service", "leaf", "kv", "bucket", "unknown"]
    """A leaf binds to no service, now and later; what is unknown is bound to and nobody has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One binding of a service."""

    source: str
    """The service that has it."""
    target: str
    """The name of the node that it leads to."""
    target_kind: Literal["service", "kv", "bucket"]
    """What it leads to, for a store may bear a service's name."""
    binding: str
    """Its name."""
    entrypoint: str = ""
    """The entrypoint of a service that it leads to; empty for a store."""

    def label(self) -> str:
        """What stands on it: the binding, and the entrypoint where that is not the usual one."""
        return self.binding if self.entrypoint in {"", DEFAULT_ENTRYPOINT} else f"{self.binding} ({self.entrypoint})"


@dataclass(frozen=True, slots=True)
class BindingGraph:
    """All nodes and edges, in the order of the manifests."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def binding_graph(manifests: Iterable[Manifest]) -> BindingGraph:
    """The graph of all services that there are, and of all that they name; it need not hold together."""
    known = {manifest.name: manifest for manifest in manifests}
    edges = tuple(edge for manifest in known.values() for edge in _edges(manifest))
    nodes = [Node(name, "leaf" if manifest.leaf else "service") for name, manifest in known.items()]
    for edge in edges:
        if edge.target_kind != "service":
            nodes.append(Node(edge.target, edge.target_kind))
        elif edge.target not in known:
            nodes.append(Node(edge.target, "unknown"))
    return BindingGraph(tuple(dict.fromkeys(nodes)), edges)


def as_data(graph: BindingGraph) -> dict[str, list[dict[str, str]]]:
    """The graph as JSON has it, with the fields of Node and of Edge."""
    return {"nodes": [asdict(node) for node in graph.nodes], "edges": [asdict(edge) for edge in graph.edges]}


def render_mermaid(graph: BindingGraph) -> str:
    """The graph as a flowchart of Mermaid, which GitHub and editors draw; without an end of line at its end."""
    ids = {(node.name, _family(node.kind)): f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    lines += [
        f"  {name}{_SHAPES[node.kind].format(_quoted(node.name))}"
        for node, name in zip(graph.nodes, ids.values(), strict=True)
    ]
    lines += [
        f'  {ids[edge.source, "service"]} -- "{_quoted(edge.label())}" --> {ids[edge.target, edge.target_kind]}'
        for edge in graph.edges
    ]
    return "\n".join(lines)


def render_tree(graph: BindingGraph) -> str:
    """The services alone as trees of text, callers above those they call; without an end of line at its end.

    A service that several call is drawn in full once. One that is called in a circle is drawn as far as that goes.
    """
    notes = {node.name: _NOTES.get(node.kind, "") for node in graph.nodes if _family(node.kind) == "service"}
    calls: dict[str, list[Edge]] = {name: [] for name in notes}
    for edge in graph.edges:
        if edge.target_kind == "service":
            calls[edge.source].append(edge)
    called = {edge.target for edges in calls.values() for edge in edges}
    drawn: set[str] = set()
    lines: list[str] = []
    # Those that nobody calls first; what is left undrawn then is called in a circle.
    for name in sorted(notes, key=called.__contains__):
        if name not in drawn:
            lines += [name + notes[name], *_below(name, calls, notes, drawn)]
    return "\n".join(lines)


def _below(root: str, calls: Mapping[str, Sequence[Edge]], notes: Mapping[str, str], drawn: set[str]) -> Iterator[str]:
    """The lines below one service; walked without recursion, since a faulty graph may be of any depth."""
    drawn.add(root)
    # What is still to be drawn, the next last, each with what stands before its line.
    pending = [(edge, "") for edge in reversed(calls[root])]
    while pending:
        edge, indent = pending.pop()
        name = edge.target
        more = bool(pending) and pending[-1][1] == indent
        note = " (see above)" if name in drawn and calls[name] else notes[name]
        yield f"{indent}{'├' if more else '└'}─ {edge.label()} ─> {name}{note}"
        if name not in drawn:
            drawn.add(name)
            pending += [(each, indent + ("│  " if more else "   ")) for each in reversed(calls[name])]


def _edges(manifest: Manifest) -> Iterator[Edge]:
    name = manifest.name
    for to in manifest.services:
        target, entrypoint = to.service, to.entrypoint
        yield Edge(source=name, target=target, target_kind="service", binding=to.binding, entrypoint=entrypoint)
    for kv in manifest.kv_namespaces:
        yield Edge(source=name, target=kv.id, target_kind="kv", binding=kv.binding)
    for bucket in manifest.r2_buckets:
        yield Edge(source=name, target=bucket.bucket_name, target_kind="bucket", binding=bucket.binding)


def _family(kind: str) -> Literal["service", "kv", "bucket"]:
    """What of a node's kind an edge knows."""
    match kind:
        case "kv" | "bucket":
            return kind
        case _:
            return "service"


def _quoted(text: str) -> str:
    """Text as it may stand in quotes; Mermaid has no escapes but entities."""
    return text.replace("#", "#35;").replace('"', "#quot;")
