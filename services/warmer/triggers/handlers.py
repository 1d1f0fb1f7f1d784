"""Which trigger does what: the only place that ties cron lines to work, as a Worker's scheduled() does by its cron."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from mesh.config.problems import ConfigurationError, Problem
from mesh.schedule.firing import Firing, Handler
from services.warmer.triggers.micro_batch import MicroBatch
from services.warmer.triggers.verifying import Verifier

MICRO_BATCH = "*/15 * * * *"
VERIFY = "0 2 * * *"


def handler_of(crons: Sequence[str], micro_batch: MicroBatch, verifier: Verifier) -> Handler:
    """What to do when a cron line of the manifest fires.

    Args:
        crons: the lines.
        micro_batch: warms a little, all the time.
        verifier: looks at all, once a day.

    Raises:
        ConfigurationError: a line that nothing is tied to.
    """
    known: Mapping[str, Callable[[str], Awaitable[str]]] = {MICRO_BATCH: micro_batch.fire, VERIFY: verifier.fire}
    what = f"the warmer does something at {MICRO_BATCH!r} and at {VERIFY!r}, and at no other line."
    problems = [Problem("triggers.crons", f"{cron!r}: {what}") for cron in crons if cron not in known]
    if problems:
        raise ConfigurationError(problems)

    async def handle(firing: Firing) -> str:
        return await known[firing.cron](firing.cron)

    return handle
