"""The operator's token: made once, read by its owner alone, compared without telling, and never told."""

import os
import stat
import threading
from pathlib import Path

import pytest

from mesh.config.problems import ConfigurationError
from mesh.identity.operator_token import OperatorToken, ensure_token, find_token, token_path

CANARY = "canary-4711-canary-4711"


def written(data: Path, content: bytes, mode: int = 0o600) -> Path:
    """A token's file as a person made it."""
    path = token_path(data)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_made_once(tmp_path: Path) -> None:
    """The first start makes it, for its owner alone; later ones read the same, and nothing else is left lying about."""
    data = tmp_path / "data"
    first, second = ensure_token(data), ensure_token(data)
    assert first.matches(second.header())
    assert [path.name for path in data.iterdir()] == ["operator.token"]
    assert stat.S_IMODE(token_path(data).stat().st_mode) == 0o600
    assert len(token_path(data).read_text().strip()) == 43  # 32 bytes in base64


def test_two_deployments_have_two(tmp_path: Path) -> None:
    """A token of one deployment opens nothing in another."""
    one, other = ensure_token(tmp_path / "one"), ensure_token(tmp_path / "other")
    assert not one.matches(other.header())


def test_many_at_once(tmp_path: Path) -> None:
    """Of several that begin at the same time all go on with the same token."""
    found: list[OperatorToken] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_token(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.header() for each in found] == [found[0].header()] * 8


def test_left_by_one_that_died(tmp_path: Path) -> None:
    """What a process left that died while it made the token is in nobody's way, even for one with its number."""
    (tmp_path / f"operator.token.{os.getpid()}").write_text("half")
    (tmp_path / f".operator.token.{os.getpid()}").write_text("half")
    assert ensure_token(tmp_path).matches(ensure_token(tmp_path).header())


@pytest.mark.parametrize("tell", [repr, str, "{}".format, "{!r:>40}".format, lambda token: f"{[token]} {token}"])
def test_no_text_tells_it(tell: object) -> None:
    """However it is turned into text, the token is not in it."""
    assert CANARY not in tell(OperatorToken(CANARY))  # type: ignore[operator]  # each is a function to text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Bearer {CANARY}", True),
        (f"Bearer {CANARY} ", False),
        (f"Bearer {CANARY[:-1]}", False),
        (f"Bearer  {CANARY}", False),
        (f"Basic {CANARY}", False),
        (f"bearer {CANARY}", False),
        (CANARY, False),
        ("Bearer ", False),
        ("Bearer", False),
        ("", False),
        ("Bearer ü\udcff", False),
    ],
)
def test_matches(header: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """The whole token after "Bearer" is one, and nothing else is."""
    assert OperatorToken(CANARY).matches(header) is expected


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
@pytest.mark.parametrize("find", [ensure_token, lambda data: find_token(data, {})])
def test_a_file_that_others_can_read(tmp_path: Path, find: object, mode: int) -> None:
    """A token that others can read or write is refused by servers and clients, and the sentence does not tell it."""
    path = written(tmp_path, CANARY.encode(), mode)
    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        find(tmp_path)  # type: ignore[operator]  # each is a function of a directory
    assert (str(path) in str(caught.value), CANARY in str(caught.value)) == (True, False)


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 40, "ü".encode() * 20])
def test_a_file_without_a_token(tmp_path: Path, content: bytes) -> None:
    """An empty file, or one that can't be sent as a header, is no token: nobody becomes an operator by it."""
    written(tmp_path, content)
    with pytest.raises(ConfigurationError, match="holds no token"):
        ensure_token(tmp_path)


def test_chosen_by_a_person(tmp_path: Path) -> None:
    """A token that a person wrote into the file counts, with or without the end of its line."""
    written(tmp_path, f"{CANARY}\n".encode())
    assert ensure_token(tmp_path).matches(f"Bearer {CANARY}")


def test_found_by_a_client(tmp_path: Path) -> None:
    """A client takes the environment's token, then the file's, and has none where there is neither; it makes none."""
    said = {"BOOKMESH_OPERATOR_TOKEN": f" {CANARY}\n"}
    neither = find_token(tmp_path, {"BOOKMESH_OPERATOR_TOKEN": ""})
    assert (neither, list(tmp_path.iterdir())) == (None, [])
    made = ensure_token(tmp_path)
    found = [find_token(tmp_path, environ) for environ in (said, {})]
    assert [each and each.header() for each in found] == [f"Bearer {CANARY}", made.header()]
