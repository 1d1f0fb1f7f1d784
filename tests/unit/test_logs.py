"""Logs tell what went wrong, and nothing of the values that were at hand."""

import io
import json
import sys
from collections.abc import Iterator

import pytest
import structlog

from mesh.logs import log_to_stderr

CANARY = "canary-log-5521"


@pytest.fixture(params=["json", "people"])
def said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged, in each of the two forms."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("BOOKMESH_LOG", request.param)
    before = structlog.get_config()
    log_to_stderr()
    yield stderr
    structlog.configure(**before)


def test_stack_without_locals(said: io.StringIO) -> None:
    """The stack of an exception tells the way that it came, and no value of the variables on that way."""

    def broken() -> None:
        headers = {"Authorization": CANARY}
        raise ZeroDivisionError(len(headers))

    try:
        broken()
    except ZeroDivisionError:
        structlog.get_logger("test").exception("call_broke", error_id="abc")
    text = said.getvalue()
    assert ("call_broke" in text, "abc" in text, "in broken" in text, "ZeroDivisionError" in text) == (True,) * 4
    assert CANARY not in text


def test_one_line_an_event(said: io.StringIO) -> None:
    """An event without a stack is one line, whatever its values hold."""
    structlog.get_logger("test").info("listening", address="unix:/a\nb")
    lines = said.getvalue().splitlines()
    assert len(lines) == 1
    if lines[0].startswith("{"):
        assert json.loads(lines[0])["address"] == "unix:/a\nb"
