import pytest
from bookmesh.type.v1.book_pb2 import Author, Edition, Identifier, Work

from mesh.status import MeshError, ResourceExhaustedError, UnavailableError
from services.books.providers.open_library import ISBNS_PER_CALL, headers_of
from services.books.providers.open_library_docs import EDITIONS, works_of
from services.books.query import parse
from services.cataloguing.isbn import isbn13_of
from tests.unit.provider_house import DOC, DUNE, EDEN, FakeSession, Served, docs, provided, serving

FIRST = "9780593099322"


def doc(**changes: object) -> dict[str, object]:
    """The document with some of it changed."""
    return {**DOC, **changes}


def test_document_is_a_work_with_the_editions_of_its_isbns() -> None:
    """A document becomes a work whose editions have what can be known of each: both lengths of their ISBN."""
    expected = Work(
        title="Dune",
        authors=[Author(name="Frank Herbert")],
        first_publication_year=1965,
        identifiers=[Identifier(scheme="openlibrary_work", value="OL893415W")],
        editions=[
            Edition(
                isbn_13=FIRST,
                isbn_10="059309932X",
                cover_uri="https://covers.openlibrary.org/b/id/11481354-L.jpg",
                provider="open_library",
            ),
            Edition(isbn_13=DUNE, isbn_10="0441013597", provider="open_library"),
        ],
        subjects=["Deserts", "Fiction"],
    )
    assert [expected] == list(works_of([DOC]))


def test_single_edition_has_all_that_the_document_says() -> None:
    """Where a work has one edition, publisher, date, pages, language and catalogue numbers are that edition's."""
    single = doc(
        edition_count=1, isbn=["0441013597"], publisher=["Ace"], publish_date=["Aug 02, 2005"], language=["eng"]
    )
    expected = Edition(
        isbn_13=DUNE,
        isbn_10="0441013597",
        publisher="Ace",
        publication_date="2005-08-02",
        page_count=541,
        language="en",
        cover_uri="https://covers.openlibrary.org/b/id/11481354-L.jpg",
        provider="open_library",
        identifiers=[Identifier(scheme="lccn", value="65022547")],
    )
    assert [expected] == list(next(works_of([single])).editions)


def test_asked_isbn_stands_first() -> None:
    """The edition that was asked for stands before the others, wherever its ISBN stood."""
    assert [each.isbn_13 for each in next(works_of([DOC], DUNE)).editions] == [DUNE, FIRST]


def test_editions_are_bounded_and_the_asked_one_is_among_them() -> None:
    """Of a famous work's hundreds of ISBNs some become editions, the one that was asked for in any case."""
    bodies = [f"978{number:09}" for number in range(400)]
    isbns = [isbn for body in bodies for digit in "0123456789" if (isbn := isbn13_of(body + digit))]
    found = next(works_of([doc(isbn=[*isbns, DUNE])], DUNE)).editions
    assert (found[0].isbn_13, len(found)) == (DUNE, EDITIONS)


def test_no_language_is_invented() -> None:
    """Which of several languages an ISBN is in is not known; the one language of all is every edition's."""
    assert {""} == {each.language for each in next(works_of([DOC])).editions}
    assert {"fr"} == {each.language for each in next(works_of([doc(language=["fre"])])).editions}


def test_work_without_isbn_is_kept() -> None:
    """A work older than ISBNs has one edition, with its cover and without a number."""
    found = next(works_of([doc(isbn=None, language=["eng"])])).editions
    assert [(each.isbn_13, each.language, bool(each.cover_uri)) for each in found] == [("", "en", True)]


@pytest.mark.parametrize(("languages", "kept"), [(["eng", "fre"], 1), (["fre", "ger"], 0), ([], 1), (["und"], 1)])
def test_works_of_other_languages_alone_go(languages: list[str], kept: int) -> None:
    """A work goes when all of its languages are known and none is the one asked for."""
    assert kept == len(list(works_of([doc(language=languages)], language="en")))


async def test_isbn_takes_one_call() -> None:
    """An ISBN is asked for by its number, with the fields that an answer would lack by itself, and a contact."""
    house = provided(serving(docs(DOC)))
    found = await house.library.find(parse(DUNE))
    assert [(each["isbn"], each["limit"], each["lang"]) for each in house.session.asked] == [(DUNE, "40", "en")]
    assert {"isbn", "publisher", "publish_date", "subject"} <= set(house.session.asked[0]["fields"].split(","))
    assert "(me@books.test)" in house.session.headers[0]["User-Agent"]
    assert (found.call_count, [each.isbn_13 for each in found.works[0].editions]) == (1, [DUNE, FIRST])


async def test_another_book_than_the_isbn_is_left_out() -> None:
    """A document without the ISBN that was asked for is no answer to it."""
    house = provided(serving(docs(DOC)))
    assert list((await house.library.find(parse(EDEN))).works) == []


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("Dune (Dune Chronicles, #1)", [{"title": "dune"}, {"q": "dune"}]),
        ("2001: A Space Odyssey", [{"title": "2001 a space odyssey"}, {"q": "2001 a space odyssey"}]),
        ("Dune by Frank Herbert", [{"title": "dune", "author": "frank herbert"}, {"title": "dune by frank herbert"}]),
        ("C++ (AND) *", [{"title": "c and"}, {"q": "c and"}]),
        ("Ὀδύσσεια", [{"title": "ὀδύσσεια"}, {"q": "ὀδύσσεια"}]),
    ],
)
async def test_text_is_asked_for_as_a_title_and_anywhere(text: str, questions: list[dict[str, str]]) -> None:
    """A text is sought as words alone, without the operators of the search's syntax."""
    house = provided(serving(docs(DOC)))
    await house.library.find(parse(text))
    terms = [{key: each[key] for key in ("title", "author", "q") if key in each} for each in house.session.asked]
    assert questions == terms


async def test_one_fuzzy_question_when_nothing_was_found() -> None:
    """When no book has the words, one more question leaves a letter of each long word open."""
    house = provided(FakeSession(lambda asked, _: Served(docs(DOC) if "~" in asked.get("q", "") else docs())))
    found = await house.library.find(parse("dunne of frenk"))
    assert house.session.asked[-1]["q"] == "dunne~1 of frenk~1"
    assert (found.call_count, [work.title for work in found.works]) == (3, ["Dune"])


async def test_no_fuzzy_question_when_something_was_found() -> None:
    """A text that is found is not asked for with its letters open."""
    house = provided(serving(docs(DOC)))
    assert (await house.library.find(parse("dune messiah"))).call_count == 2


async def test_signs_alone_ask_nobody() -> None:
    """A text without a word costs no call."""
    house = provided(serving(docs(DOC)))
    found = await house.library.find(parse("***"))
    assert (list(found.works), found.call_count, house.session.asked) == ([], 0, [])


async def test_half_an_answer_counts() -> None:
    """When one question fails and the other is answered, the answer is given, with the failure."""
    house = provided(FakeSession(lambda asked, _: Served(docs(DOC)) if "title" in asked else Served(b"", 502)))
    found = await house.library.find(parse("dune"))
    assert [work.title for work in found.works] == ["Dune"]
    assert found.failure is not None
    assert found.failure.reason == "PROVIDER_UNAVAILABLE"


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (Served(b"", 500), "PROVIDER_UNAVAILABLE"),
        (Served(b"<html>no contact</html>", 403), "PROVIDER_KEY_REFUSED"),
        (Served({"status": 429, "message": "Too Many Requests."}, 429), "PROVIDER_RATE_LIMITED"),
        (Served(b"<html>", 200), "PROVIDER_BAD_ANSWER"),
        (Served({"docs": None, "numFound": 0}, 200), "PROVIDER_BAD_ANSWER"),
        (Served({"docs": [], "numFound": 5}, 200), "PROVIDER_BAD_ANSWER"),
        (Served({"docs": []}, 200), "PROVIDER_BAD_ANSWER"),
        (Served(b"", 404), "PROVIDER_BAD_ANSWER"),
        (Served(b"", 301, {"Location": "https://elsewhere.test"}), "PROVIDER_BAD_ANSWER"),
        (Served(error=TimeoutError()), "PROVIDER_TIMEOUT"),
        (Served(error=EOFError()), "PROVIDER_UNAVAILABLE"),
    ],
)
async def test_failure_is_never_nothing_found(served: Served, reason: str) -> None:
    """Every answer that is no list of documents is a failure with a reason, detached from what caused it."""
    house = provided(serving(served))
    with pytest.raises(MeshError) as caught:
        await house.library.find(parse("dune"))
    assert (reason, None) == (caught.value.reason, caught.value.__cause__)


async def test_rate_is_held() -> None:
    """After a 429 nobody is let through before its pause is over."""
    house = provided(serving(Served(b"", 429), docs(DOC)))
    for _ in range(2):
        with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
            await house.library.find(parse(DUNE), limit_s=0.5)
    house.clock.advance(1.1)
    assert len((await house.library.find(parse(DUNE), limit_s=0.5)).works) == 1
    assert len(house.session.asked) == 2


async def test_breaker_opens_and_refuses() -> None:
    """After three failures in a row nobody is called any more, and the refusal says for how long."""
    house = provided(serving(Served(b"", 500)))
    for _ in range(3):
        with pytest.raises(UnavailableError, match="PROVIDER_UNAVAILABLE"):
            await house.library.find(parse(DUNE))
    with pytest.raises(UnavailableError, match="CIRCUIT_OPEN") as caught:
        await house.library.find(parse(DUNE))
    assert (len(house.session.asked), caught.value.retry_after_s) == (3, 60.0)


async def test_nothing_found_is_no_failure() -> None:
    """A provider that has nothing is well: its breaker stays closed."""
    house = provided(serving(docs()))
    for _ in range(4):
        assert list((await house.library.find(parse(DUNE))).works) == []
    assert (len(house.session.asked), house.breaker.consecutive_failures) == (4, 0)


def test_no_contact_no_name() -> None:
    """Without a contact the proxy does not name itself, for whoever does so without one is refused."""
    assert headers_of("") == {}


async def test_many_isbns_take_few_calls() -> None:
    """ISBNs are looked up together, each gets its own works with itself first, and the first tells the cost."""
    other = doc(title="Emma", isbn=["9780141439587"])
    unknown = [f"979{number:010}" for number in range(ISBNS_PER_CALL)]
    house = provided(FakeSession(lambda asked, _: Served(docs(DOC, other) if DUNE in asked["q"] else docs())))
    found = await house.library.find_isbns([DUNE, "9780141439587", *unknown])
    assert [each["q"].count("isbn:") for each in house.session.asked] == [ISBNS_PER_CALL, 2]
    assert [(work.title, work.editions[0].isbn_13) for work in found[DUNE].works] == [("Dune", DUNE)]
    assert [work.title for work in found["9780141439587"].works] == ["Emma"]
    assert (list(found[unknown[0]].works), sum(each.call_count for each in found.values())) == ([], 2)


async def test_many_isbns_fail_together() -> None:
    """When a call fails nothing is said of any of the ISBNs."""
    house = provided(serving(Served(b"", 500)))
    with pytest.raises(UnavailableError, match="PROVIDER_UNAVAILABLE"):
        await house.library.find_isbns([DUNE])
