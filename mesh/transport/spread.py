"""The way to a service of several replicas: the only place that chooses between channels.

Mostly there is one, and gRPC chooses within it. Replicas with names, or of mixed kinds, have a channel each.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import grpc

from mesh.call import Call, Handler, Reply
from mesh.contract import Method
from mesh.transport.balancing import Target, targets
from mesh.transport.channel import Transport

_READY, _DEAD = grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE


class Way(Transport, Protocol):
    """A transport that knows whether anybody can be reached by it."""

    def state(self) -> grpc.ChannelConnectivity:
        """READY when a call would go out at once; asking begins to connect."""


def reach(addresses: Sequence[str], dial: Callable[[Target], Way]) -> Transport:
    """The way to all replicas of an entrypoint.

    Args:
        addresses: where they listen, at least one.
        dial: the way to one target.
    """
    found = targets(addresses)
    ways = [dial(target) for target in found]
    return ways[0] if len(ways) == 1 else Spread(ways, [target.size for target in found])


class Spread:
    """Takes several ways in turn, as often as each has replicas, and leaves out those that lead nowhere just now.

    Args:
        ways: the ways.
        sizes: how many replicas each leads to.
    """

    def __init__(self, ways: Sequence[Way], sizes: Sequence[int]) -> None:
        self.kind = "+".join(sorted({way.kind for way in ways}))
        self._ways = ways
        self._turns = [index for index, size in enumerate(sizes) for _ in range(size)]
        self._turn = 0

    def connect(self, method: Method) -> Handler:
        """The handler that carries a call over the way whose turn it is."""
        handlers = [way.connect(method) for way in self._ways]

        async def carry(call: Call) -> Reply:
            return await handlers[self._choose()](call)

        return carry

    def _choose(self) -> int:
        self._turn = (self._turn + 1) % len(self._turns)
        states = [way.state() for way in self._ways]
        order = self._turns[self._turn :] + self._turns[: self._turn]
        # One that is still connecting may yet fail, so it is only taken where none is ready.
        ready = (index for index in order if states[index] is _READY)
        hopeful = (index for index in order if states[index] is not _DEAD)
        return next(ready, next(hopeful, order[0]))

    async def aclose(self) -> None:
        """Lets go of every way."""
        for way in self._ways:
            await way.aclose()
