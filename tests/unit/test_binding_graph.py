"""The binding graph as text, for Mermaid and as JSON, of services that hold together and of those that don't."""

import itertools
import re
from pathlib import Path
from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mesh.config.address_book import read_address_book
from mesh.config.binding_graph import BindingGraph, Edge, Node, as_data, binding_graph, render_mermaid, render_tree
from mesh.config.manifest import Manifest, parse_manifest, read_manifest

ROOT = Path(__file__).parents[2]

NAMES = "abcdef"


def manifest(name: str, *services: str, more: str = "") -> Manifest:
    """A manifest that binds to services; "b:Admin" names an entrypoint."""
    entries = []
    for index, service in enumerate(services):
        target, _, entrypoint = service.partition(":")
        entries.append(f'[[services]]\nbinding = "B{index}"\nservice = "{target}"\n')
        entries.append(f'entrypoint = "{entrypoint}"\n' if entrypoint else "")
    text = f'name = "{name}"\nmain = "m"\n{"".join(entries)}{more}'
    return parse_manifest(text.encode(), Path(f"{name}/service.toml"))


def test_tree() -> None:
    """Callers stand above those they call; who is called twice is drawn in full once."""
    manifests = [manifest("c", more="[mesh]\nleaf = true"), manifest("b", "c"), manifest("a", "b", "c:Admin", "b")]
    assert render_tree(binding_graph(manifests)) == dedent(
        """\
        a
        ├─ B0 ─> b
        │  └─ B0 ─> c (leaf)
        ├─ B1 (Admin) ─> c (leaf)
        └─ B2 ─> b (see above)"""
    )


def test_tree_of_a_circle() -> None:
    """Services that call in a circle are drawn once, and the circle's last step says where it goes on."""
    assert render_tree(binding_graph([manifest("a", "b"), manifest("b", "a")])) == dedent(
        """\
        a
        └─ B0 ─> b
           └─ B0 ─> a (see above)"""
    )


def test_tree_with_an_unknown_service() -> None:
    """A service that nobody has is named as such."""
    assert render_tree(binding_graph([manifest("a", "z")])) == "a\n└─ B0 ─> z (there is no such service)"


def test_tree_of_nothing() -> None:
    """Without services there is no line."""
    assert render_tree(binding_graph([])) == ""


@given(st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=4) for name in NAMES}))
def test_every_binding_is_drawn_once(calls: dict[str, list[str]]) -> None:
    """Whatever the graph, the text has one line for each binding, and every service."""
    manifests = [manifest(name, *(to for to in targets if to != name)) for name, targets in calls.items()]
    graph = binding_graph(manifests)
    lines = render_tree(graph).splitlines()
    arrows = [line for line in lines if "─>" in line]
    named = {re.split(r"─> |^", line)[-1].removesuffix(" (see above)") for line in lines}
    assert (len(arrows), named) == (len(graph.edges), set(NAMES))


def test_deep_tree() -> None:
    """A chain longer than Python's stack is drawn too."""
    names = [f"s{number}" for number in range(1_500)]
    nodes = tuple(Node(name, "service") for name in names)
    edges = tuple(
        Edge(source=source, target=target, target_kind="service", binding="B")
        for source, target in itertools.pairwise(names)
    )
    assert len(render_tree(BindingGraph(nodes, edges)).splitlines()) == 1_500


def test_mermaid() -> None:
    """Services are boxes, leaves rounded, stores cylinders, and what is not there is torn."""
    stores = '[[kv_namespaces]]\nbinding = "HOT"\nid = "b"\n[[r2_buckets]]\nbinding = "COLD"\nbucket_name = "cold"\n'
    manifests = [manifest("a", "b", "z:Admin", more=stores), manifest("b", more="[mesh]\nleaf = true")]
    assert render_mermaid(binding_graph(manifests)) == dedent(
        """\
        flowchart TD
          n0["a"]
          n1(["b"])
          n2>"z"]
          n3[("b")]
          n4[("cold")]
          n0 -- "B0" --> n1
          n0 -- "B1 (Admin)" --> n2
          n0 -- "HOT" --> n3
          n0 -- "COLD" --> n4"""
    )


def test_mermaid_quotes() -> None:
    """A name can't end the quotes that it stands in."""
    graph = BindingGraph((Node('a"]; click n0 "#x', "bucket"),), ())
    assert render_mermaid(graph) == 'flowchart TD\n  n0[("a#quot;]; click n0 #quot;#35;x")]'


def test_data() -> None:
    """As JSON the graph is its nodes and its edges."""
    assert as_data(binding_graph([manifest("a", "b"), manifest("b")])) == {
        "nodes": [{"name": "a", "kind": "service"}, {"name": "b", "kind": "service"}],
        "edges": [
            {"source": "a", "target": "b", "target_kind": "service", "binding": "B0", "entrypoint": "Default"},
        ],
    }


def test_readme_shows_the_graph_as_it_is() -> None:
    """The picture in the README is what `bookmesh check --graph` prints for the project's own manifests."""
    book = read_address_book(ROOT / "mesh.toml")
    drawn = render_mermaid(binding_graph(read_manifest(service.manifest) for service in book.services.values()))
    shown = re.findall(r"```mermaid\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown == [drawn]
