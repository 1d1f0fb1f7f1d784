import pytest
from bookmesh.type.v1.book_pb2 import FORMAT_NOT_A_BOOK, Author, Edition, Identifier, Work

from mesh.status import FailedPreconditionError, MeshError, ResourceExhaustedError, UnavailableError
from services.books.providers.google_books import works_of
from services.books.query import parse
from tests.unit.provider_house import DUNE, EDEN, VOLUME, FakeSession, Served, google_error, provided, serving, volumes

DAY_SPENT = Served(google_error(429, "rateLimitExceeded", limit="defaultPerDayPerProject"), 429)
DAY_S = 24 * 3600.0


def volume(**info: object) -> dict[str, object]:
    """The volume with some of what it says changed."""
    return {**VOLUME, "volumeInfo": {**VOLUME["volumeInfo"], **info}}


def test_volume_is_a_work_with_one_edition() -> None:
    """A volume without faults becomes a work with all that it says, its cover https and its text plain."""
    edition = Edition(
        isbn_13=DUNE,
        isbn_10="0441013597",
        publisher="Ace",
        publication_date="2005-08-02",
        page_count=528,
        language="en",
        cover_uri="https://books.google.com/books/content?id=zyTCAlFPjgYC&zoom=1",
        provider="google_books",
        identifiers=[
            Identifier(scheme="google_volume", value="zyTCAlFPjgYC"),
            Identifier(scheme="oclc", value="60777233"),
        ],
    )
    expected = Work(
        title="Dune",
        subtitle="The Desert Planet",
        authors=[Author(name="Frank Herbert")],
        first_publication_year=2005,
        editions=[edition],
        subjects=["Fiction"],
        synopsis="A desert & its people.",
    )
    assert [expected] == list(works_of([VOLUME]))


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_isbns_come_in_any_order(order: slice) -> None:
    """Whichever identifier stands first, the edition has its ISBN in both lengths."""
    found = list(works_of([volume(industryIdentifiers=VOLUME["volumeInfo"]["industryIdentifiers"][order])]))
    assert [(each.editions[0].isbn_13, each.editions[0].isbn_10) for each in found] == [(DUNE, "0441013597")]


def test_missing_fields_are_empty() -> None:
    """A volume of nothing but a title is a work of nothing but that."""
    expected = Work(title="Dune", editions=[Edition(provider="google_books")])
    assert [expected] == list(works_of([{"volumeInfo": {"title": "Dune"}}]))


def test_magazine_is_no_book() -> None:
    """What Google prints as a magazine is marked, and kept."""
    assert next(works_of([volume(printType="MAGAZINE")])).editions[0].format == FORMAT_NOT_A_BOOK


async def test_isbn_takes_one_call() -> None:
    """An ISBN is asked for by its number alone, whatever the language."""
    house = provided(serving(volumes(VOLUME)))
    found = await house.google.find(parse(DUNE))
    assert [{"q": f"isbn:{DUNE}", "maxResults": "40", "printType": "books"}] == house.session.asked
    assert (found.call_count, [work.title for work in found.works]) == (1, ["Dune"])


async def test_another_book_than_the_isbn_is_left_out() -> None:
    """What Google finds for an ISBN that it does not have is no answer to it."""
    house = provided(serving(volumes(VOLUME)))
    assert list((await house.google.find(parse(EDEN))).works) == []


async def test_nothing_found_has_no_list() -> None:
    """An answer without items says that there are none, and costs no second call."""
    house = provided(serving(volumes()))
    found = await house.google.find(parse("no such book"))
    assert (list(found.works), found.call_count) == ([], 1)


async def test_title_that_is_found_takes_one_call() -> None:
    """When the plain question brought the title, no call is spent on asking more closely."""
    house = provided(serving(volumes(VOLUME)))
    assert (await house.google.find(parse("Dune!"))).call_count == 1
    assert house.session.asked == [{"q": "dune", "langRestrict": "en", "maxResults": "40", "printType": "books"}]


@pytest.mark.parametrize(
    ("text", "closer"),
    [
        ("Frank Herbert", 'inauthor:"frank herbert"'),
        ("Herbert, Frank", 'inauthor:"herbert frank"'),
        ("The dessert planet", 'intitle:"the dessert planet"'),
        ("Messiah by Frank Herbert", 'intitle:"messiah" inauthor:"frank herbert"'),
    ],
)
async def test_second_question_follows_from_the_first_answer(text: str, closer: str) -> None:
    """Whether a text is a name or a title that was missed, the answer to the plain question tells."""
    house = provided(serving(volumes(VOLUME)))
    await house.google.find(parse(text))
    assert [closer] == [asked["q"] for asked in house.session.asked[1:]]


async def test_half_an_answer_counts() -> None:
    """When the second question fails, what the first brought is given, with the failure."""
    house = provided(serving(volumes(VOLUME), Served(b"", 503)))
    found = await house.google.find(parse("Frank Herbert"))
    assert [work.title for work in found.works] == ["Dune"]
    assert found.failure is not None
    assert (found.failure.reason, found.call_count) == ("PROVIDER_UNAVAILABLE", 2)


@pytest.mark.parametrize(
    ("text", "language", "translations", "restricted"),
    [
        ("dune", "en", False, "en"),
        ("dune", "en", True, None),
        ("duna", "pt", False, None),
        ("dune", "zh", False, None),
        ("duneo", "grc", False, None),
        ("デューン", "en", False, None),
    ],
)
async def test_language_is_asked_for_only_where_that_hides_nothing(
    text: str, language: str, *, translations: bool, restricted: str | None
) -> None:
    """A restriction by language goes along only for languages and scripts whose records all bear it."""
    house = provided(serving(volumes()))
    await house.google.find(parse(text, language=language, include_translations=translations))
    assert [restricted] == [asked.get("langRestrict") for asked in house.session.asked]


async def test_other_languages_go() -> None:
    """A volume in another language than the one asked for is no answer, unless translations are wanted."""
    house = provided(serving(volumes(volume(language="fr-CA"))))
    assert list((await house.google.find(parse("dune"))).works) == []
    wanted = await house.google.find(parse("dune", include_translations=True))
    assert [work.editions[0].language for work in wanted.works] == ["fr"]


async def test_key_goes_in_a_header() -> None:
    """The key is in no address, where logs would keep it."""
    house = provided(serving(volumes(VOLUME)), keys=["canary"])
    await house.google.find(parse(DUNE))
    assert [headers["X-Goog-Api-Key"] for headers in house.session.headers] == ["canary"]
    assert "canary" not in str(house.session.asked)


@pytest.mark.parametrize(
    "refusal",
    [
        DAY_SPENT,
        Served(google_error(403, "dailyLimitExceeded"), 403),
        Served(google_error(403, "quotaExceeded"), 403),
        Served(google_error(400, "badRequest", status="RESOURCE_EXHAUSTED"), 400),
        Served(google_error(400, "keyInvalid"), 400),
        Served(google_error(403, "accessNotConfigured"), 403),
        Served(b"", 401),
    ],
)
async def test_second_key_serves_when_the_first_does_not(refusal: Served) -> None:
    """A key that is spent or refused gives way to the other, in the same search."""

    def answer(_: object, headers: object) -> Served:
        return refusal if "first" in str(headers) else Served(volumes(VOLUME))

    house = provided(FakeSession(answer), keys=["first", "second"])
    assert [work.title for work in (await house.google.find(parse(DUNE))).works] == ["Dune"]
    assert [headers["X-Goog-Api-Key"] for headers in house.session.headers] == ["first", "second"]


async def test_spent_key_rests_until_midnight_pacific() -> None:
    """A key whose day is spent is not tried again before its day is over, and is then."""
    spent = {"first"}

    def answer(_: object, headers: object) -> Served:
        return DAY_SPENT if any(key in str(headers) for key in spent) else Served(volumes(VOLUME))

    house = provided(FakeSession(answer), keys=["first", "second"])
    await house.google.find(parse(DUNE))
    await house.google.find(parse(DUNE))
    spent.clear()
    house.clock.now = house.accounts[0].day(house.clock.now).reset_at + 1
    await house.google.find(parse(DUNE))
    assert [each["X-Goog-Api-Key"] for each in house.session.headers] == ["first", "second", "second", "first"]


async def test_all_keys_spent_says_until_when() -> None:
    """When both keys are spent, the failure has the time of the reset, and further searches call nobody."""
    house = provided(serving(DAY_SPENT), keys=["first", "second"])
    for _ in range(2):
        with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
            await house.google.find(parse(DUNE))
    with pytest.raises(ResourceExhaustedError) as caught:
        await house.google.find(parse(DUNE))
    assert len(house.session.asked) == 2
    assert 0 < (caught.value.retry_after_s or 0) <= DAY_S


async def test_rate_is_held_not_spent() -> None:
    """Being too fast holds calls for the time that is asked for, and no longer."""
    house = provided(serving(Served(b"", 429, {"Retry-After": "7"}), volumes(VOLUME)), keys=["only"])
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await house.google.find(parse(DUNE))
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await house.google.find(parse(DUNE), limit_s=6.0)
    house.clock.advance(7.1)
    assert len((await house.google.find(parse(DUNE))).works) == 1


@pytest.mark.parametrize("refusal", [DAY_SPENT, Served(google_error(403, "forbidden"), 403)])
async def test_without_a_key_nobody_expects_an_answer(refusal: Served) -> None:
    """Without a key a refusal for the day says which secret to set, and is not counted as a failure of Google's."""
    house = provided(serving(refusal))
    with pytest.raises(FailedPreconditionError, match="GOOGLE_BOOKS_API_KEY") as caught:
        await house.google.find(parse(DUNE))
    assert caught.value.reason == "SECRET_MISSING"


async def test_what_is_no_key_is_not_sent() -> None:
    """A key that no header can hold is refused like a wrong one."""
    house = provided(serving(volumes(VOLUME)), keys=["two\nlines"])
    with pytest.raises(UnavailableError, match="PROVIDER_KEY_REFUSED"):
        await house.google.find(parse(DUNE))
    assert house.session.asked == []


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (Served(b"", 503), "PROVIDER_UNAVAILABLE"),
        (Served(b"<html>", 200), "PROVIDER_BAD_ANSWER"),
        (Served(b"[]", 200), "PROVIDER_BAD_ANSWER"),
        (Served({"kind": "books#volumes", "totalItems": 3}, 200), "PROVIDER_BAD_ANSWER"),
        (Served({"hello": "from a hotel's Wi-Fi"}, 200), "PROVIDER_BAD_ANSWER"),
        (Served(b"", 302, {"Location": "https://elsewhere.test"}), "PROVIDER_BAD_ANSWER"),
        (Served(b"", 404), "PROVIDER_BAD_ANSWER"),
        (Served(google_error(400, "invalidParameter"), 400), "PROVIDER_BAD_ANSWER"),
        (Served(error=TimeoutError()), "PROVIDER_TIMEOUT"),
        (Served(error=ConnectionResetError()), "PROVIDER_UNAVAILABLE"),
    ],
)
async def test_failure_is_never_nothing_found(served: Served, reason: str) -> None:
    """Every answer that is no list of volumes is a failure with a reason, detached from what caused it."""
    house = provided(serving(served), keys=["canary"])
    with pytest.raises(MeshError) as caught:
        await house.google.find(parse("dune"))
    assert (reason, None, None) == (caught.value.reason, caught.value.__cause__, caught.value.__context__)
