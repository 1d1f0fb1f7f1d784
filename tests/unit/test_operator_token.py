"""The operator's token: made once, kept from others, compared whole, and never shown."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mesh.identity.operator_token import TOKEN_VARIABLE, OperatorToken, ensure_token, find_token, token_path
from mesh.problems import ConfigurationError


def test_made_once(tmp_path: Path) -> None:
    """The first start makes it, for its owner alone; the next ones read it."""
    first, second = ensure_token(tmp_path / "data"), ensure_token(tmp_path / "data")
    path = token_path(tmp_path / "data")
    assert (first.header(), path.stat().st_mode & 0o777) == (second.header(), 0o600)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_started_at_once(tmp_path: Path) -> None:
    """Starts at the same moment agree on one token."""
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(lambda _: ensure_token(tmp_path).header(), range(8)))
    assert told == {ensure_token(tmp_path).header()}


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", "bearer {}", "Bearer {}x", "Bearer x{}", "{}", "Bearer ü"])
def test_others_are_refused(tmp_path: Path, shown: str) -> None:
    """Only the whole token in its form is taken."""
    token = ensure_token(tmp_path)
    value = token.header().removeprefix("Bearer ")
    assert (token.matches(token.header()), token.matches(shown.format(value))) == (True, False)


def test_never_shown() -> None:
    """Neither repr nor str nor a format has the token."""
    token = OperatorToken("canary-0123456789")
    assert all("canary" not in said for said in (repr(token), str(token), f"{token!s:>20}"))


@pytest.mark.parametrize(("content", "mode"), [("a" * 40, 0o644), ("a" * 40, 0o640), ("too short", 0o600), ("", 0o600)])
def test_unsafe_files(tmp_path: Path, content: str, mode: int) -> None:
    """A file that others can read, or that holds too little, stops the start and says how to mend it."""
    path = token_path(tmp_path)
    path.touch()
    path.chmod(mode)
    path.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        ensure_token(tmp_path)
    assert (str(path) in str(caught.value), bool(content) and content in str(caught.value)) == (True, False)


def test_clients(tmp_path: Path) -> None:
    """A client takes the variable first, then the file, and does without where there is neither."""
    assert find_token(tmp_path, {}) is None
    made = ensure_token(tmp_path)
    found, said = find_token(tmp_path, {}), find_token(tmp_path, {TOKEN_VARIABLE: "said-0123456789\n"})
    assert found is not None
    assert said is not None
    assert (found.header(), said.header()) == (made.header(), "Bearer said-0123456789")
