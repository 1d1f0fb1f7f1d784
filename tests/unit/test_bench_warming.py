"""What warming a library costs: which searches are looked for afterwards, and when the figures are met."""

import dataclasses

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from bench.warming import Outcome, main, searches_of

LIBRARY = b"""Title,Author,ISBN
Dune,Frank Herbert,9780441013593
Persuasion,Jane Austen,
"""


def outcome(**changed: object) -> Outcome:
    """A job by ISBN on a hundred books that did all as it should, but for what is changed."""
    right = Outcome(
        strategy="isbn",
        library=pb.Library(book_count=100),
        plan=pb.WarmPlan(author_count=50, provider_calls=[pb.ProviderCalls(call_count=2)]),
        progress=pb.WarmProgress(provider_call_count=2),
        state="SUCCEEDED",
        calls=2,
        rate=1.0,
        took_s=2.4,
        searches=100,
        cached=100,
    )
    return dataclasses.replace(right, **changed)  # type: ignore[arg-type]  # fields by keyword


def test_all_is_met() -> None:
    """What keeps to every figure is met, to the last call and second."""
    assert outcome().met


@pytest.mark.parametrize(
    "changed",
    [
        {"calls": 3},
        {"took_s": 2.5},
        {"progress": pb.WarmProgress(provider_call_count=1)},
        {"plan": pb.WarmPlan(provider_calls=[pb.ProviderCalls(call_count=3)])},
        {"cached": 99},
        {"state": "FAILED"},
        {"strategy": "hybrid", "plan": pb.WarmPlan(author_count=1, provider_calls=[pb.ProviderCalls(call_count=2)])},
    ],
)
def test_one_miss_is_a_miss(changed: dict[str, object]) -> None:
    """Each figure alone is enough to miss."""
    assert not outcome(**changed).met


def test_what_people_ask_for() -> None:
    """By ISBN just ISBNs were warmed; else each book in its own way, and every author."""
    assert searches_of(LIBRARY, "isbn") == ["9780441013593"]
    assert list(searches_of(LIBRARY, "hybrid")) == [
        "9780441013593",
        "Frank Herbert",
        "Persuasion by Jane Austen",
        "Jane Austen",
    ]


def test_a_strategy_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """A strategy that there is not is refused before anything starts."""
    with pytest.raises(SystemExit):
        main(["--only", "guesswork"])
    assert "guesswork" in capsys.readouterr().err
