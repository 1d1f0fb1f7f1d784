"""The only place that judges an answer of ISBNdb's: its status and body to JSON, to "nothing", or to an error. Pure."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson

from mesh.status import MeshError
from services.isbndb import faults

_RETRY_AFTER_S = 1.0
"""Seconds to stay away after a 429. No recorded one says how long; the limits are by the second."""

_LONGEST_RETRY_S = 3_600.0

Json = dict[str, Any]
"""A JSON object."""


def read_body(status: int, body: bytes, retry_after: str = "") -> Json | None:
    """The JSON object of an answer, or None when ISBNdb says that there is no such thing.

    Args:
        status: the HTTP status.
        body: the body.
        retry_after: the header of that name; ISBNdb has not been seen to send one.

    Raises:
        ResourceExhaustedError: 429, or the 404 that says the same.
        UnavailableError: every other status, and every body that is not what the status calls for.
    """
    if status == HTTPStatus.OK:
        answer = _json(body)
        if answer is None:
            raise faults.bad_answer("no JSON object", status)
        return answer
    if status == HTTPStatus.NOT_FOUND:
        _check_nothing(body)
        return None
    raise _failure(status, retry_after)


def _check_nothing(body: bytes) -> None:
    """Returns when a 404 is ISBNdb's own: a proxy's or a wrong address's must not look like an unknown book.

    Raises:
        ResourceExhaustedError: it is a refusal in the dress of a 404.
        UnavailableError: it is not ISBNdb's.
    """
    answer = _json(body) or {}
    said = " ".join(str(answer.get(name, "")) for name in ("errorMessage", "message")).casefold()
    if "limit" in said:
        raise faults.rate_limited(_RETRY_AFTER_S)
    if "not found" not in said:
        raise faults.bad_answer("a 404 that is not ISBNdb's", HTTPStatus.NOT_FOUND)


def _failure(status: int, retry_after: str) -> MeshError:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return faults.rate_limited(_seconds(retry_after))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return faults.key_refused(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return faults.unreachable("a server error", status)
    return faults.bad_answer("an unforeseen status", status)


def _json(body: bytes) -> Json | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _seconds(retry_after: str) -> float:
    return (
        min(float(retry_after), _LONGEST_RETRY_S) if retry_after.isascii() and retry_after.isdigit() else _RETRY_AFTER_S
    )


def items_of(answer: Json, *names: str) -> Sequence[object]:
    """The list that stands under one of the names; null counts as an empty one.

    Raises:
        UnavailableError: PROVIDER_BAD_ANSWER; there is no such list.
    """
    for name in names:
        if name in answer:
            items = answer[name]
            if items is None:
                return []
            if isinstance(items, list):
                return items
    raise faults.bad_answer(f"no list called {' or '.join(names)}")
