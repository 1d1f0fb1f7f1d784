"""What `bookmesh up` does: the shared parts first, then the services, in this process or each in its own."""

import os
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import structlog

from mesh.config.problems import ConfigurationError, Problem
from mesh.config.topology import unreachable
from mesh.hosting.bindings import find_secret
from mesh.hosting.certificates import is_needed, kept, missing
from mesh.hosting.deployment import Deployment
from mesh.hosting.embedded import embedded_valkey
from mesh.hosting.processes import supervise
from mesh.hosting.serve import serve
from mesh.hosting.stand_ins import standing_in

_log = structlog.get_logger("mesh.hosting.up")


@asynccontextmanager
async def shared_parts(deployment: Deployment) -> AsyncIterator[Deployment]:
    """Runs the embedded key-value server and the stand-ins, and keeps certificates, where needed, until the block ends.

    Raises:
        ConfigurationError: a stand-in did not start, or a certificate can't be used.
        EmbeddedError: the embedded server did not start.
    """
    async with AsyncExitStack() as running:
        if not deployment.supervised:
            if deployment.needs_embedded_kv():
                url = await running.enter_async_context(embedded_valkey(deployment.data / "valkey"))
                deployment = replace(deployment, embedded_kv=url)
            await running.enter_async_context(standing_in(deployment.stand_ins))
            await running.enter_async_context(kept(deployment.book))
        yield deployment


def providers(deployment: Deployment) -> dict[str, list[str]]:
    """Which keys are real, which a stand-in takes the place of, and which are unset; every start says so."""
    declared = {
        secret.secret_name: secret for worker in deployment.workers.values() for secret in worker.manifest.secrets
    }
    stood_in = {stand_in.secret_name for stand_in in deployment.stand_ins}
    found = {name for name, secret in declared.items() if find_secret(secret, deployment.secrets) is not None}
    return {
        "real": sorted(found - stood_in),
        "stand_ins": sorted(found & stood_in),
        "unset": sorted(set(declared) - found),
    }


async def up(deployment: Deployment, *, separate: bool, only: Collection[str] | None = None) -> None:
    """Runs a deployment until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a certificate is missing, or a service that others call over the wire has no address for it.
    """
    problems = _unready(deployment, separate=separate, only=only)
    if problems:
        raise ConfigurationError(problems)
    _log.info("providers", **providers(deployment))
    async with shared_parts(deployment) as ready:
        if separate:
            await supervise(ready, os.environ, only)
        else:
            await serve(ready, os.environ, only)


def _unready(deployment: Deployment, *, separate: bool, only: Collection[str] | None) -> list[Problem]:
    """Why services can't run apart from one another, or can't prove who they are; found before anything is started."""
    book, manifests = deployment.book, [worker.manifest for worker in deployment.workers.values()]
    apart = [{name} for name in only or book.services] if separate else [set(only or book.services)]
    problems = [problem for here in apart for problem in unreachable(manifests, book, here)]
    if is_needed(book) and not book.tls.made_here:
        problems += missing(deployment, only)
    return problems
