"""The event loop of a process: the only place that says when the steps of batch work are taken.

A call of a person is handed on between threads and processes several times before it is answered, and each time it may
find the loop at work for somebody else. Of a batch every piece is short, but they come in rows: an answer is read, one
is made, five stores are asked. So whatever is done for a batch (`mesh.turns.PATIENT` tells) stands in a row of its own:
people's calls never wait behind more than one slice of it, and while people call, all loops that share a machine's
cores rest after each slice many times as long as it took. Then batch work has a small part of them, one piece at a
time, and none of the threads that carry people's calls waits for it more than once.
"""

import asyncio
import contextvars
import os
from collections import deque
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from mesh.company import Company
from mesh.turns import COMPANY_SLICE_S, PATIENT, SLICE_S


def _cores() -> int:
    """Cores that this process may use; those that it shares them with are taken to have the same."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


SHARE = 0.04
"""Part of all cores that batch work has while people call."""

RESTS = 1 / (SHARE * _cores())
"""How many times as long as it has worked it rests for that."""

LONGEST_REST_S = 0.25
"""Seconds that it rests at most, however long a step took."""

_Arguments = TypeVarTuple("_Arguments")


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop on which callbacks whose context is patient are called in slices, after everybody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.company = Company()
        """Whether people call, and until when batch work rests for them; nobody calls until it is set."""
        self._row: deque[asyncio.Handle] = deque()
        self._is_due = False
        self._worked_s = 0.0
        self._nobody = contextvars.Context()

    def call_soon(
        self,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Calls it in the loop's next round; what is patient, when it is its turn, in the order in which it came."""
        if not (PATIENT.get() if context is None else context.get(PATIENT, False)):
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._row.append(handle)
        if not self._is_due:
            self._is_due = True
            self._come_back()
        return handle

    def _come_back(self) -> None:
        wait_s = self.company.rests_until - self.time() if self.company.is_there else 0.0
        if wait_s > 0:
            self.call_later(wait_s, self._slice, context=self._nobody)
        else:
            super().call_soon(self._slice, context=self._nobody)

    def _slice(self) -> None:
        company, began = self.company, self.time()
        has_company = company.is_there
        if has_company:
            if company.rests_until > began:
                # Another loop was first.
                self._come_back()
                return
            company.rest_until(began + COMPANY_SLICE_S * (1 + RESTS))
        now, ends = began, began + (COMPANY_SLICE_S if has_company else SLICE_S) - self._worked_s
        # What is called here puts more into the row, and must not have the loop come back before the rest.
        while self._row:
            handle = self._row.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as the loop itself does it: in its context, and errors to the handler
            if (now := self.time()) >= ends:
                break
        self._worked_s += now - began
        is_over = now >= ends
        if has_company:
            company.rest_until(now + min(self._worked_s * RESTS, LONGEST_REST_S) if is_over else now)
        if is_over:
            self._worked_s = 0.0
        self._is_due = bool(self._row)
        if self._is_due:
            self._come_back()
