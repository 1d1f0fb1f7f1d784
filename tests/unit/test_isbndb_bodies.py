import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.status import MeshError, ResourceExhaustedError, UnavailableError
from services.isbndb.bodies import items_of, read_body


def failure(status: int, body: bytes = b"{}", retry_after: str = "") -> MeshError:
    """The error that an answer becomes."""
    with pytest.raises(MeshError) as caught:
        read_body(status, body, retry_after)
    return caught.value


def test_object() -> None:
    """A JSON object with status 200 is the answer."""
    assert read_body(200, b'{"book": {}}') == {"book": {}}


def test_nothing_found() -> None:
    """ISBNdb's own 404 says that there is no such thing."""
    assert read_body(404, b'{"errorMessage": "Not Found"}') is None


@pytest.mark.parametrize(
    ("status", "body", "reason", "kind"),
    [
        (429, b'{"message": "Limit Exceeded"}', "PROVIDER_RATE_LIMITED", ResourceExhaustedError),
        (404, b'{"message": "Limit Exceeded"}', "PROVIDER_RATE_LIMITED", ResourceExhaustedError),
        (404, b"<html>no such page</html>", "PROVIDER_BAD_ANSWER", UnavailableError),
        (404, b"{}", "PROVIDER_BAD_ANSWER", UnavailableError),
        (401, b'{"message": "Unauthorized"}', "PROVIDER_KEY_REFUSED", UnavailableError),
        (403, b'{"message": "explicit deny"}', "PROVIDER_KEY_REFUSED", UnavailableError),
        (500, b'{"message": "Internal server error"}', "PROVIDER_UNAVAILABLE", UnavailableError),
        (503, b"", "PROVIDER_UNAVAILABLE", UnavailableError),
        (599, b"", "PROVIDER_UNAVAILABLE", UnavailableError),
        (400, b'{"errorMessage": "Bad Request"}', "PROVIDER_BAD_ANSWER", UnavailableError),
        (204, b"", "PROVIDER_BAD_ANSWER", UnavailableError),
        (302, b"", "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b"", "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b"<html>{not json", "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b"[]", "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b"null", "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, "PROVIDER_BAD_ANSWER", UnavailableError),
        (200, b'{"a": "\xff"}', "PROVIDER_BAD_ANSWER", UnavailableError),
    ],
)
def test_failure(status: int, body: bytes, reason: str, kind: type[MeshError]) -> None:
    """Every other answer is an error of its own kind, and none of them looks like "nothing found"."""
    error = failure(status, body)
    assert (reason, kind) == (error.reason, type(error))


@pytest.mark.parametrize(
    ("header", "expected"), [("7", 7.0), ("", 1.0), ("soon", 1.0), ("-3", 1.0), ("99999", 3_600.0), ("²", 1.0)]
)
def test_retry_after(header: str, expected: float) -> None:
    """The pause is what ISBNdb asks for, within reason, and a second when it does not say."""
    assert expected == failure(429, retry_after=header).retry_after_s


@given(st.integers(min_value=100, max_value=999), st.binary(max_size=40))
def test_any_answer(status: int, body: bytes) -> None:
    """Whatever comes back, it is an object, nothing, or a MeshError."""
    try:
        answer = read_body(status, body)
    except MeshError:
        return
    assert answer is None or isinstance(answer, dict)


@pytest.mark.parametrize(
    ("answer", "expected"), [({"data": [1]}, [1]), ({"books": [2]}, [2]), ({"data": None}, []), ({"data": []}, [])]
)
def test_items(answer: dict[str, object], expected: list[object]) -> None:
    """A list is found under any of its names, and null is an empty one."""
    assert expected == items_of(answer, "data", "books")


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"data": "x"}, {"message": "Internal server error"}])
def test_no_items(answer: dict[str, object]) -> None:
    """An answer without the list is a bad answer, not an empty one."""
    with pytest.raises(UnavailableError, match="PROVIDER_BAD_ANSWER"):
        items_of(answer, "data", "books")
