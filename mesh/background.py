"""Work that outlives the call which began it: kept, logged when it fails, and ended with the service."""

import asyncio
import contextvars
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from mesh.hosting.vitals import Vitals
from mesh.turns import PATIENT

_log = structlog.get_logger("mesh.background")

Result = TypeVar("Result")


class Background:
    """A nursery for a service's own tasks; an async context manager.

    Tasks begin in an empty context: the deadline and the chain of the call that began one do not bind it.

    Args:
        grace_s: seconds that tasks get to end by themselves when the service drains, before they are cancelled.
        vitals: where it is told that a vital task has failed, the `env.MESH.vitals` of the service.
    """

    def __init__(self, grace_s: float = 0.0, vitals: Vitals | None = None) -> None:
        self._grace_s = grace_s
        self._vitals = vitals or Vitals()
        self._vital: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(
        self,
        work: Coroutine[Any, Any, Result],
        *,
        name: str,
        context: contextvars.Context | None = None,
        vital: bool = False,
    ) -> asyncio.Task[Result]:
        """Begins a task. Nobody need await it: what it raises is logged under its name.

        Args:
            work: what it does.
            name: how logs and health tell of it.
            context: what it begins in; an empty one when None. It is as patient as who begins it.
            vital: it is a loop that the service can't do without; once it has ended the service is not ready any more.
        """
        within = contextvars.Context() if context is None else context
        within.run(PATIENT.set, PATIENT.get())
        task = asyncio.get_running_loop().create_task(work, name=name, context=within)
        self._tasks.add(task)
        if vital:
            self._vital.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task in self._vital and not self._closing:
            self._vitals.fail(task.get_name())
        self._vital.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background_failed", task=task.get_name(), error=type(error).__name__, exc_info=error)

    async def __aenter__(self) -> Self:
        """Opens the nursery."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Waits for the grace, then cancels what still runs and waits for its end."""
        self._closing = True
        if self._tasks and self._grace_s:
            await asyncio.wait(self._tasks, timeout=self._grace_s)
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
