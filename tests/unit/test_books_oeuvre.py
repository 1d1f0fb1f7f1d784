import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CIRCUIT_OPEN,
    ERROR_REASON_PROVIDER_TIMEOUT,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
)
from bookmesh.type.v1.book_pb2 import WORK_KIND_STUDY_GUIDE, WORK_KIND_UNSPECIFIED, Work, WorkKind

from mesh.status import MeshError, UnavailableError
from services.books.answers import Answer
from services.books.oeuvre import WHOLE_BYTES, listed
from services.books.providers.protocol import Found
from tests.unit.books_house import DUNE, EMMA, MESSIAH, work

DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "it is down")


def answer(provider: str, *works: Work, failure: MeshError | None = None, gaps: tuple[str, ...] = ()) -> Answer:
    """What a provider found."""
    return Answer(provider=provider, found=Found(works=works, failure=failure, gaps=gaps))


def titles(*answers: Answer, author: str = "Frank Herbert", language: str = "en") -> list[str]:
    """The titles of what is made of some answers."""
    return [each.title for each in listed(author, language, answers).works]


def test_order() -> None:
    """Works ascend by year, those without one come last, and of one year by title."""
    works = [work("C"), work("B", year=1970), work("The A", year=1970), work("Z", year=1950)]
    for each in works:
        each.authors.add(name="Frank Herbert")
    assert titles(answer("isbndb", *works)) == ["Z", "The A", "B", "C"]


@pytest.mark.parametrize(
    "authors",
    [
        ("Frank Herbert",),
        ("Herbert, Frank",),
        ("Bill Ransom", "Frank Herbert"),
        ("Frank P. Herbert",),
    ],
)
def test_works_by_the_author(authors: tuple[str, ...]) -> None:
    """Works that an author wrote, alone or with others, stay, however a record writes the name."""
    assert titles(answer("isbndb", work("Dune", *authors, isbns=[DUNE]))) == ["Dune"]


@pytest.mark.parametrize("authors", [("Timothy O'Reilly",), ("Brian Herbert",), ("Frank Herbert Staff",), ()])
def test_works_by_others(authors: tuple[str, ...]) -> None:
    """Works about an author, or by somebody whose name is nearly the same, or by nobody known, go."""
    assert titles(answer("google_books", work("Frank Herbert", *authors, isbns=[EMMA]))) == []


@pytest.mark.parametrize(
    ("authors", "kind", "expected"),
    [
        (("CliffsNotes Editors", "Frank Herbert"), WORK_KIND_STUDY_GUIDE, []),
        (("CliffsNotes Editors", "Frank Herbert"), WORK_KIND_UNSPECIFIED, ["Dune Notes"]),
        (("Frank Herbert", "Bill Ransom"), WORK_KIND_STUDY_GUIDE, ["Dune Notes"]),
    ],
)
def test_guides_of_others(authors: tuple[str, ...], kind: WorkKind.ValueType, expected: list[str]) -> None:
    """A study guide that names its writers and then the author goes; one that the author wrote stays."""
    guide = work("Dune Notes", *authors, isbns=[DUNE])
    guide.kind = kind
    assert expected == titles(answer("open_library", guide))


def test_record_without_authors_is_told_by_its_isbn() -> None:
    """A record that names nobody is an edition of the work that has its ISBN."""
    found = listed(
        "Frank Herbert",
        "en",
        [
            answer("isbndb", work("Dune", "Frank Herbert", isbns=[DUNE])),
            answer("google_books", work("Dune", isbns=[DUNE], year=1965)),
        ],
    )
    assert [(each.title, each.first_publication_year) for each in found.works] == [("Dune", 1965)]


def test_providers_works_are_one() -> None:
    """The same work from several providers is given once, with the earliest year that one of them knows."""
    found = listed(
        "Frank Herbert",
        "en",
        [
            answer("isbndb", work("Dune", "Frank Herbert", isbns=[DUNE], year=1990)),
            answer("open_library", work("Dune", "Frank Herbert", isbns=[MESSIAH], year=1965)),
        ],
    )
    assert [(each.first_publication_year, len(each.editions)) for each in found.works] == [(1965, 2)]


def test_works_that_turn_out_to_be_one() -> None:
    """An author that one record lacked joins it to the work of its title; no two works of a list share an id."""
    found = listed(
        "Frank Herbert",
        "en",
        [
            answer(
                "isbndb",
                work("Dune", isbns=[DUNE]),
                work("Dune: Deluxe", "Frank Herbert", isbns=[DUNE]),
                work("Dune", "Frank Herbert", isbns=[MESSIAH]),
            )
        ],
    )
    assert [len(each.editions) for each in found.works] == [2]


def test_language() -> None:
    """Editions in the language or in none that is known stay; the year is the original's, whatever its language."""
    french = work("Dune", "Frank Herbert", isbns=[DUNE], language="fr", year=1965)
    english = work("Dune", "Frank Herbert", isbns=[MESSIAH], year=1990)
    only_french = work("Essais", "Frank Herbert", isbns=[EMMA], language="fr")
    unknown = work("Eye", "Frank Herbert", isbns=["9780306406157"], language="", year=1985)
    found = listed("Frank Herbert", "en", [answer("isbndb", french, english, only_french, unknown)])
    assert [(each.title, each.first_publication_year, len(each.editions)) for each in found.works] == [
        ("Dune", 1965, 1),
        ("Eye", 1985, 1),
    ]


def test_name_as_most_providers_print_it() -> None:
    """The spelling of most providers is taken, however many works one of them has under another."""
    found = listed(
        "Ursula Le Guin",
        "en",
        [
            answer("isbndb", work("A", "Ursula Le Guin"), work("B", "Ursula Le Guin"), work("C", "Ursula K. Le Guin")),
            answer("open_library", work("A", "Ursula K. Le Guin")),
        ],
    )
    assert found.author == "Ursula K. Le Guin"


def test_gaps() -> None:
    """What is known to be missing is said: who did not answer and how, who broke off, and what providers say."""
    slow = UnavailableError(ERROR_REASON_PROVIDER_TIMEOUT, "too slow")
    shut = UnavailableError(ERROR_REASON_CIRCUIT_OPEN, "its breaker is open")
    found = listed(
        "Frank Herbert",
        "en",
        [
            answer("first", work("Dune", "Frank Herbert"), failure=DOWN, gaps=("first gives at most two.",)),
            Answer(provider="second", error=DOWN),
            Answer(provider="third", error=slow),
            Answer(provider="fourth", error=shut),
        ],
    )
    assert (found.partial, list(found.gaps)) == (
        True,
        [
            "first broke off (PROVIDER_UNAVAILABLE), so works that only it knows may be missing.",
            "first gives at most two.",
            "second failed (PROVIDER_UNAVAILABLE), so works that only it knows are missing.",
            "third did not answer in time (PROVIDER_TIMEOUT), so works that only it knows are missing.",
            "fourth could not be asked (CIRCUIT_OPEN), so works that only it knows are missing.",
        ],
    )


def test_whole_answer_has_no_gaps() -> None:
    """Where everybody answered, nothing is known to be missing."""
    found = listed("Frank Herbert", "en", [answer("isbndb", work("Dune", "Frank Herbert")), answer("open_library")])
    assert (found.partial, list(found.gaps), [each.state for each in found.providers]) == (
        False,
        [],
        [pb.PROVIDER_STATE_ANSWERED, pb.PROVIDER_STATE_EMPTY],
    )


def test_all_failed() -> None:
    """Failures alone are a failure."""
    with pytest.raises(UnavailableError) as caught:
        listed("Frank Herbert", "en", [Answer(provider="first", error=DOWN), Answer(provider="second", error=DOWN)])
    assert caught.value.reason == "ALL_PROVIDERS_FAILED"


def test_whole_can_be_kept() -> None:
    """Works too large to be kept together lose the ends of their synopses, and nothing else."""
    works = [
        Work(title=f"Volume {at}", synopsis="x" * 2_000, authors=work("", "Frank Herbert").authors)
        for at in range(7_000)
    ]
    found = listed("Frank Herbert", "en", [answer("isbndb", *works)])
    assert (len(found.works), found.ByteSize() < WHOLE_BYTES, len(found.works[0].synopsis)) == (7_000, True, 500)
