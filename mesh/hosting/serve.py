"""Runs services in this process: build, listen, SERVING, then on a signal NOT_SERVING, drain, close."""

import asyncio
import signal
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from mesh.audit_log import auditing
from mesh.background import Background
from mesh.company import joined
from mesh.hosting import collector
from mesh.hosting.building import Building
from mesh.hosting.deployment import Deployment
from mesh.hosting.drain import drain
from mesh.hosting.endpoint import Serving
from mesh.hosting.health import SERVING
from mesh.hosting.listening import listen
from mesh.hosting.notify import READY, STOPPING, notify
from mesh.hosting.patient_loop import PatientLoop
from mesh.quota.open import open_ledger
from mesh.turns import Turns

_log = structlog.get_logger("mesh.hosting.serve")


@asynccontextmanager
async def serving(
    deployment: Deployment, only: Collection[str] | None = None, turns: Turns | None = None
) -> AsyncIterator[Serving]:
    """Runs services until the block ends, then drains them.

    Args:
        deployment: what was read and checked.
        only: the services to run here; all of the deployment when None. Bindings to the others go over the wire.
        turns: who works next, of those that nobody waits for.

    Raises:
        AddressInUseError: a listener's address is taken; nothing is left running.
    """
    house = Serving(turns=turns or Turns())
    async with AsyncExitStack() as closing:
        name = "mesh" if only is None else "+".join(sorted(only))
        audit = await closing.enter_async_context(auditing(deployment.book.data / "audit" / f"{name}.jsonl"))
        ledger = await open_ledger(deployment.ledger_url())
        closing.push_async_callback(ledger.aclose)
        for worker in deployment.start_order():
            if only is None or worker.manifest.name in only:
                await Building(deployment, house, worker, closing, audit, ledger).build()
        try:
            await listen(deployment, house)
            for endpoint in house.endpoints.values():
                endpoint.health.set_all(SERVING)
            yield house
        finally:
            healths = [endpoint.health for endpoint in house.endpoints.values()]
            await drain(deployment.book.drain, healths, house.entrances.values(), house.listeners.values())


async def serve(deployment: Deployment, environ: Mapping[str, str], only: Collection[str] | None = None) -> None:
    """Runs services until SIGTERM, SIGINT or SIGHUP, and tells whoever started the process when they serve."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # SIGHUP comes when the terminal is closed; whoever starts this with nohup wants it to outlive that.
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for name in (signal.SIGTERM, signal.SIGINT, *(() if outlives else (signal.SIGHUP,))):
        loop.add_signal_handler(name, stop.set)
    company = joined(environ)
    if isinstance(loop, PatientLoop):
        loop.company = company
        turns = Turns(company=company, rest_s=0.0)
    else:
        turns = Turns(company=company)
    async with serving(deployment, only, turns) as house, Background() as background:
        for (service, entrypoint), listener in house.listeners.items():
            _log.info("listening", service=service, entrypoint=entrypoint, address=listener.address)
        collector.settle()
        background.spawn(collector.keep_tidy(turns), name="garbage")
        notify(READY, environ)
        await stop.wait()
        notify(STOPPING, environ)
        _log.info("draining", services=sorted({service for service, _ in house.endpoints}))
    _log.info("stopped")
