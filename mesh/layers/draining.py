"""The door of a service: the only place that knows which calls from outside run in it, and that closes it to new ones.

Calls in process pass by. Their callers live in the same process and are drained themselves: what runs for them must
still be able to call, or nothing of it could finish.
"""

import asyncio
from typing import Any

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.drain_settings import CUT_S
from mesh.status import UnavailableError


class Gate:
    """The door.

    Args:
        service: the service's name, as those hear it that are refused.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._inside: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()
        self.closed = False

    async def drain(self, grace_s: float) -> int:
        """Refuses new calls from now on, and waits for those that run.

        Args:
            grace_s: seconds that they get to finish; those that have not by then end with UNAVAILABLE and DRAINING.

        Returns:
            How many had not.
        """
        self.closed = True
        if self._inside:
            await asyncio.wait(self._inside, timeout=grace_s)
        self._cut = set(self._inside)
        for task in self._cut:
            task.cancel()
        if self._cut:
            await asyncio.wait(self._cut, timeout=CUT_S)
        return len(self._cut)

    async def carry(self, call: Call, inner: Handler) -> Reply:
        """Carries a call from outside, in the task that it has to itself.

        Raises:
            UnavailableError: DRAINING, the door is closed, or was closed and the grace is over.
        """
        task = asyncio.current_task()
        if self.closed or task is None:
            raise self._refusal("takes no new calls")
        self._inside.add(task)
        try:
            return await inner(call)
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            # It was cancelled from here, so it has no reason to end as cancelled.
            task.uncancel()
            raise self._refusal("could not wait for this call any longer") from None
        finally:
            self._inside.discard(task)

    def _refusal(self, what: str) -> UnavailableError:
        message = f"{self._service} is ending and {what}"
        return UnavailableError(ERROR_REASON_DRAINING, message, metadata={"service": self._service})


def draining(gate: Gate) -> Layer:
    """Lets calls from outside in through the gate."""

    def layer(_: Method, inner: Handler) -> Handler:
        async def admitted(call: Call) -> Reply:
            return await (inner(call) if call.local else gate.carry(call, inner))

        return admitted

    return layer
