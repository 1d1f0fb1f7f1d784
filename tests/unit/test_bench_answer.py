"""The answer that every rival of the benchmark gives: real, whole, and the same in every form."""

import pytest

from bench import models
from bench.answer import Question, as_dicts, as_message, parameters, request, size, to_message
from sandbox.isbn import to13


def test_forty_works() -> None:
    """The answer has forty works and sixty editions, every other work having two."""
    works = as_message(Question.FORTY).results
    assert [len(work.editions) for work in works] == [2, 1] * 20


def test_nothing_is_left_out() -> None:
    """Every edition has all that a provider gives, so that no rival has less to carry than in earnest."""
    fields = ("isbn_13", "isbn_10", "publisher", "publication_date", "page_count", "format", "language", "cover_uri")
    editions = [edition for work in as_message(Question.FORTY).results for edition in work.editions]
    assert [name for edition in editions for name in (*fields, "provider") if not getattr(edition, name)] == []


def test_isbns_are_true() -> None:
    """Both ISBNs of an edition are valid and name the same book."""
    editions = [edition for work in as_message(Question.FORTY).results for edition in work.editions]
    assert [to13(edition.isbn_10) for edition in editions] == [edition.isbn_13 for edition in editions]


def test_works_differ() -> None:
    """No work comes twice, for what repeats itself is cheaper to carry."""
    assert len({work.id for work in as_message(Question.FORTY).results}) == 40


@pytest.mark.parametrize("question", Question)
def test_models_lose_nothing(question: Question) -> None:
    """The typed models carry what the contract's message does."""
    answer = models.Answer.model_validate(as_dicts(question))
    assert to_message(answer.model_dump(mode="json", exclude_none=True)) == as_message(question)


def test_each_is_asked_the_same() -> None:
    """The request of a stub and the query of a URL say the same."""
    asked = request(Question.FORTY)
    assert parameters(Question.FORTY) == {"q": asked.q, "max_results": asked.max_results}


def test_an_empty_answer_is_empty() -> None:
    """The empty answer is no bytes at all, so that its cost is that of the call."""
    assert as_message(Question.EMPTY).ByteSize() == 0


def test_published_size() -> None:
    """The size that is told with the figures is that of the answer; a change of it makes older figures void."""
    assert size(Question.FORTY) == {"works": 40, "editions": 60, "protobuf_bytes": 18_961, "json_bytes": 33_217}
