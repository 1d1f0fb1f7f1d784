import pytest

from mesh.status import UnavailableError
from services.books.providers.google_bibliography import LAST_PAGE
from tests.unit.provider_house import VOLUME, Served, provided, serving, volumes

DOWN = Served({}, 503)


def page(count: int) -> dict[str, object]:
    """A body with so many volumes."""
    return volumes(*[VOLUME] * count)


async def test_author_is_one_call() -> None:
    """An author whose volumes fit a page costs one call, which asks for the name in quotes and in the language."""
    house = provided(serving(page(3)))
    found = await house.google_list.bibliography("Ursula K. Le Guin", language="en")
    assert house.session.asked == [
        {
            "q": 'inauthor:"ursula k le guin"',
            "printType": "books",
            "langRestrict": "en",
            "startIndex": "0",
            "maxResults": "40",
        }
    ]
    assert (len(found.works), found.call_count, found.gaps) == (3, 1, ())


@pytest.mark.parametrize(("author", "language"), [("村上 春樹", "en"), ("Lu Xun", "zh"), ("José Saramago", "pt")])
async def test_language_that_would_hide_books(author: str, language: str) -> None:
    """Where asking for the language would leave books out, all are asked for."""
    house = provided(serving(volumes()))
    await house.google_list.bibliography(author, language=language)
    assert "langRestrict" not in house.session.asked[0]


async def test_full_pages_are_followed() -> None:
    """Pages are asked for until one is far from full; one that lacks a few is not the last."""
    house = provided(serving(page(40), page(37), page(5)))
    found = await house.google_list.bibliography("Stephen King", language="en")
    assert ([each["startIndex"] for each in house.session.asked], len(found.works)) == (["0", "40", "80"], 82)


@pytest.mark.parametrize("total", [0, 40, 612])
async def test_page_past_the_end(total: int) -> None:
    """A page past the end has no list of volumes, whatever it says that there are, and ends the list."""
    house = provided(serving(page(40), {"kind": "books#volumes", "totalItems": total}))
    found = await house.google_list.bibliography("Stephen King", language="en")
    assert (len(found.works), found.failure, found.gaps) == (40, None, ())


async def test_no_list_is_endless() -> None:
    """After so many pages it is enough, and that there may be more is said."""
    house = provided(serving(page(40)))
    found = await house.google_list.bibliography("Stephen King", language="en")
    assert (found.call_count, found.gaps) == (LAST_PAGE, ["google_books was asked for 200 volumes, and may have more."])


async def test_list_that_breaks_off() -> None:
    """What came before a failure counts, and the failure is told."""
    house = provided(serving(page(40), DOWN))
    found = await house.google_list.bibliography("Stephen King", language="en")
    assert found.failure is not None
    assert (len(found.works), found.failure.reason) == (40, "PROVIDER_UNAVAILABLE")


async def test_failure_before_anything_came() -> None:
    """A failure that comes first is the answer."""
    house = provided(serving(DOWN))
    with pytest.raises(UnavailableError) as caught:
        await house.google_list.bibliography("Stephen King", language="en")
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


async def test_nobody_is_asked_for_no_name() -> None:
    """A name of nothing but signs costs no call."""
    house = provided(serving(volumes()))
    found = await house.google_list.bibliography("?!", language="en")
    assert (found.works, house.session.asked) == ((), [])
