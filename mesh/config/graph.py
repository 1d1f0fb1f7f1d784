"""Walks of a directed graph of names: the only place that finds cycles, orders and longest chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Graph = Mapping[str, Sequence[str]]
"""Each node with those it points to; all of them are keys."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What one walk over a whole graph finds."""

    order: tuple[str, ...]
    """Every node after all that it points to; where there is a cycle, as far as that can be."""
    cycles: tuple[tuple[str, ...], ...]
    """Paths that come back to their first node, which is named again at the end; without them no cycle is left."""
    chains: Mapping[str, tuple[str, ...]]
    """From every node the longest path, itself first; a step that would close a cycle is not taken."""


def walk(graph: Graph) -> Walk:
    """Walks a graph depth first, in the order in which it is given, without recursion: depth is no limit."""
    chains: dict[str, tuple[str, ...]] = {}
    cycles: list[tuple[str, ...]] = []
    for start in graph:
        if start in chains:
            continue
        # Each node of the path that is being walked, with those it points to that are still to be seen.
        path = {start: iter(graph[start])}
        longest: dict[str, tuple[str, ...]] = {start: ()}
        while path:
            node = next(reversed(path))
            after = next(path[node], None)
            if after is None:
                del path[node]
                chains[node] = (node, *longest.pop(node))
                above = next(reversed(path), None)
                if above is not None:
                    longest[above] = max(longest[above], chains[node], key=len)
            elif after in path:
                nodes = list(path)
                cycles.append((*nodes[nodes.index(after) :], after))
            elif after in chains:
                longest[node] = max(longest[node], chains[after], key=len)
            else:
                path[after] = iter(graph[after])
                longest[after] = ()
    return Walk(tuple(chains), tuple(cycles), chains)
