"""The way into a service: the only place that knows which calls from outside run in it, and that closes it to new ones.

Calls in process pass by. Their callers live in the same process and are drained themselves: what runs for them must
still be able to call, or nothing of it could finish.
"""

import asyncio
from typing import Any

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING

from mesh.call import Call, Handler, Reply
from mesh.config.drain_settings import CUT_S
from mesh.status import UnavailableError


class Entrance:
    """The way in for calls from outside; it stands on one event loop."""

    def __init__(self) -> None:
        self._inside: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()
        self.closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

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

    async def carry(self, call: Call, inner: Handler, service: str) -> Reply:
        """Carries a call from outside, in the task that it has to itself.

        Args:
            call: the call.
            inner: what answers it.
            service: the service's name, as those hear it that are refused.

        Raises:
            UnavailableError: DRAINING, the door is closed, or was closed and the grace is over.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        # Told its loop, for asking the system which one runs costs as much as all else here.
        task = asyncio.current_task(self._loop)
        if self.closed or task is None:
            raise _refusal(service, "takes no new calls")
        self._inside.add(task)
        try:
            return await inner(call)
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            # It was cancelled from here, so it has no reason to end as cancelled.
            task.uncancel()
            raise _refusal(service, "could not wait for this call any longer") from None
        finally:
            self._inside.discard(task)


def _refusal(service: str, what: str) -> UnavailableError:
    message = f"{service} is ending and {what}"
    return UnavailableError(ERROR_REASON_DRAINING, message, metadata={"service": service})
