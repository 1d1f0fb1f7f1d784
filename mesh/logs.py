"""How logs are written: one line an event, on stderr, key=value for people and JSON for machines."""

import logging
import os
import sys

import structlog


def log_to_stderr(*, quiet: bool = False) -> None:
    """Sends every event to stderr; stdout is for answers alone.

    BOOKMESH_LOG=json writes JSON, one object a line; anything else writes for people.

    Args:
        quiet: only warnings and worse.
    """
    as_json = os.environ.get("BOOKMESH_LOG") == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=20,
            exception_formatter=structlog.dev.plain_traceback,  # the usual one prints locals, and secrets among them
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _keep(_: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Leaves exceptions to the renderer for people, which draws them better."""
    return event
