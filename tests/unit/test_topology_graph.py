"""One walk of a graph finds an order, all circles and the longest chains, or says that there are none."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mesh.config.graph import walk

NAMES = "abcdef"

GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=4, unique=True) for name in NAMES})

ACYCLIC = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from(NAMES[index + 1 :]), max_size=4, unique=True)
        if index + 1 < len(NAMES)
        else st.just([])
        for index, name in enumerate(NAMES)
    }
)


def steps(path: tuple[str, ...]) -> list[tuple[str, str]]:
    """The edges of a path."""
    return list(itertools.pairwise(path))


@given(ACYCLIC)
def test_order(graph: dict[str, list[str]]) -> None:
    """Where there is no circle, each node comes after all that it points to."""
    order = walk(graph).order
    late = [(node, to) for node in NAMES for to in graph[node] if order.index(to) > order.index(node)]
    assert (sorted(order), late) == (sorted(NAMES), [])


@given(ACYCLIC)
def test_no_circle(graph: dict[str, list[str]]) -> None:
    """Where there is no circle, none is found."""
    assert walk(graph).cycles == ()


@given(GRAPHS)
def test_circles(graph: dict[str, list[str]]) -> None:
    """Every circle that is found is one: it goes along edges and ends where it began."""
    cycles = walk(graph).cycles
    false = [
        cycle for cycle in cycles if cycle[0] != cycle[-1] or any(to not in graph[node] for node, to in steps(cycle))
    ]
    assert false == []


@given(GRAPHS)
def test_every_circle(graph: dict[str, list[str]]) -> None:
    """Without the last step of each circle that was found, no circle is left: none was overlooked."""
    last = {cycle[-2:] for cycle in walk(graph).cycles}
    rest = {node: [to for to in graph[node] if (node, to) not in last] for node in NAMES}
    assert walk(rest).cycles == ()


@given(ACYCLIC)
def test_longest_chain(graph: dict[str, list[str]]) -> None:
    """Where there is no circle, the chain of each node is as long as the longest of all its paths."""

    def longest(node: str) -> int:
        return 1 + max((longest(to) for to in graph[node]), default=0)

    chains = walk(graph).chains
    assert {node: len(chains[node]) for node in NAMES} == {node: longest(node) for node in NAMES}


@given(GRAPHS)
def test_chains_are_paths(graph: dict[str, list[str]]) -> None:
    """Every chain goes along edges and passes no node twice."""
    chains = walk(graph).chains.values()
    false = [
        chain
        for chain in chains
        if len(set(chain)) != len(chain) or any(to not in graph[node] for node, to in steps(chain))
    ]
    assert false == []


def test_long_chain() -> None:
    """A chain longer than Python's stack is walked too."""
    graph = {str(number): [str(number + 1)] for number in range(2_000)} | {"2000": []}
    assert len(walk(graph).chains["0"]) == 2_001
