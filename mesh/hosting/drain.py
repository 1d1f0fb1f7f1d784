"""How a process ends without losing a call: the only place that knows the order.

NOT_SERVING first; a pause in which those that watch the health turn to other replicas, while whoever still comes is
answered; then the door closes, what runs may finish, and last of all the listeners close.
"""

import asyncio
from collections.abc import Collection, Iterable

import structlog

from mesh.config.drain_settings import LAST_S, DrainSettings
from mesh.entrance import Entrance
from mesh.hosting.health import NOT_SERVING, Health
from mesh.transport.aio_server import AioServer

_log = structlog.get_logger("mesh.hosting.drain")


async def drain(
    settings: DrainSettings,
    healths: Collection[Health],
    entrances: Collection[Entrance],
    listeners: Iterable[AioServer],
) -> None:
    """Ends what is served here; when it returns, nothing runs any more."""
    heard = any(health.is_heard() for health in healths)
    for health in healths:
        health.set_all(NOT_SERVING)
    if heard:
        # Where nobody asks for the health, nobody would turn away however long the pause.
        await asyncio.sleep(settings.lame_duck_s)
    cut = sum(await asyncio.gather(*(entrance.drain(settings.grace_s) for entrance in entrances)))
    if cut:
        _log.warning("calls_cut_off", calls=cut, grace_s=settings.grace_s)
    for health in healths:
        health.end()
    await asyncio.gather(*(listener.stop(LAST_S) for listener in listeners))
