from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.status import ResourceExhaustedError, UnavailableError
from services.books.providers.open_library_bibliography import LAST_PAGE, PAGE_SIZE, meant
from tests.unit.provider_house import DOC, Served, docs, provided, serving

DOWN = Served({}, 503)
HERBERT = {"key": "OL79034A", "name": "Frank Herbert", "alternate_names": ["Frank Patrick Herbert"], "work_count": 200}


def author(name: str, *others: str, count: int = 1, key: str = "OL1A") -> dict[str, Any]:
    """An author as a search of authors has it."""
    return {"key": key, "name": name, "alternate_names": list(others), "work_count": count}


def some(total: int) -> dict[str, Any]:
    """A body with one work of so many."""
    return {**docs(DOC), "numFound": total}


async def test_author_is_two_calls() -> None:
    """The author is looked for by name, and the works by the author's key, with the fields that they need."""
    house = provided(serving(docs(HERBERT), docs(DOC)))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    assert house.session.paths == ["/v1/search/authors.json", "/v1/search.json"]
    assert house.session.asked[1]["author_key"] == "OL79034A"
    assert {"isbn", "first_publish_year", "language"} < set(house.session.asked[1]["fields"].split(","))
    assert ([each.title for each in found.works], found.call_count, list(found.names), found.gaps) == (
        ["Dune"],
        2,
        ["Frank Herbert"],
        [],
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([author("Frank Herbert Staff", count=900), HERBERT], "Frank Herbert"),
        ([author("Frank Herbert", count=2, key="OL2A"), HERBERT], "Frank Herbert"),
        ([author("Samuel Clemens Media", "Frank Herbert Inc."), author("Herbert, Frank")], "Herbert, Frank"),
        ([author("Mark Twain", "Frank Herbert", count=999), author("Frank Herbert", count=1)], "Frank Herbert"),
        ([author("Someone Else", "Frank Herbert")], "Someone Else"),
        ([author("Frank P. Herbert")], "Frank P. Herbert"),
        ([author("Brian Herbert"), author("Frank"), author("Frank Herbert Hayward")], None),
        ([], None),
    ],
)
def test_who_is_meant(found: list[object], expected: str | None) -> None:
    """The author whose name it is, one's own before another's other name; neighbours and companies are not."""
    person = meant(found, "Frank Herbert")
    assert expected == (person.name if person else None)


def test_of_namesakes_the_one_with_most_works() -> None:
    """Of several records of one name the fullest is meant."""
    person = meant([author("Frank Herbert", count=2, key="OL2A"), HERBERT], "Frank Herbert")
    assert person is not None
    assert person.key == "OL79034A"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        _JSON | st.fixed_dictionaries({"key": _JSON, "name": _JSON, "alternate_names": _JSON, "work_count": _JSON})
    )
)
def test_no_record_breaks_the_choice(found: list[object]) -> None:
    """Whatever stands in the place of authors is looked through without an error."""
    person = meant([*found, HERBERT], "Frank Herbert")
    assert person is not None
    assert person.name


async def test_unknown_author_is_one_call() -> None:
    """Where no author has the name, nothing is asked for."""
    house = provided(serving(docs(author("Frank Herbert Staff"))))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    assert (found.works, found.call_count) == ((), 1)


async def test_all_pages_come() -> None:
    """Pages are followed to the number that it tells."""
    house = provided(serving(docs(HERBERT), some(2 * PAGE_SIZE), some(2 * PAGE_SIZE)))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    offsets = [each["offset"] for each in house.session.asked[1:]]
    assert (offsets, len(found.works), found.gaps) == (["0", str(PAGE_SIZE)], 2, [])


async def test_no_list_is_endless() -> None:
    """After so many pages it is enough, and that there are more is said."""
    house = provided(serving(docs(HERBERT), some(10**6)))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    assert (found.call_count, found.gaps) == (1 + LAST_PAGE, ["open_library was asked for 5,000 works, and has more."])


async def test_list_that_breaks_off() -> None:
    """What came before a failure counts, and the failure is told."""
    house = provided(serving(docs(HERBERT), some(2 * PAGE_SIZE), DOWN))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    assert found.failure is not None
    assert (len(found.works), found.failure.reason, found.gaps) == (1, "PROVIDER_UNAVAILABLE", [])


@pytest.mark.parametrize("before", [[], [docs(HERBERT)]])
async def test_failure_before_anything_came(before: list[object]) -> None:
    """A failure that comes before any work is the answer."""
    house = provided(serving(*before, DOWN))
    with pytest.raises(UnavailableError) as caught:
        await house.library_list.bibliography("Frank Herbert", language="en")
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


async def test_asked_to_slow_down() -> None:
    """Too many calls are told as such."""
    house = provided(serving(Served({}, 429)))
    with pytest.raises(ResourceExhaustedError) as caught:
        await house.library_list.bibliography("Frank Herbert", language="en")
    assert caught.value.reason == "PROVIDER_RATE_LIMITED"


async def test_foreign_works_go() -> None:
    """A work of which only other languages are known goes; one of which none is known stays."""
    french, unknown = {**DOC, "language": ["fre"]}, {**DOC, "language": [], "title": "Eye"}
    house = provided(serving(docs(HERBERT), docs(french, unknown)))
    found = await house.library_list.bibliography("Frank Herbert", language="en")
    assert [each.title for each in found.works] == ["Eye"]


async def test_nobody_is_asked_for_no_name() -> None:
    """A name of nothing but signs costs no call."""
    house = provided(serving(docs()))
    found = await house.library_list.bibliography("?!", language="en")
    assert (found.works, house.session.asked) == ((), [])
