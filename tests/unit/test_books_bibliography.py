import asyncio

import pytest
from bookmesh.books.v1 import admin_service_pb2 as admin_pb
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE, ERROR_REASON_QUOTA_SPENT
from bookmesh.type.v1.book_pb2 import TIER_MEMORY, TIER_ORIGIN

from mesh.status import InvalidArgumentError, NotFoundError, ResourceExhaustedError, UnavailableError
from tests.unit.books_house import DUNE, FakeLeaf, House, open_house, work

HERBERT = "Frank Herbert"
KEY = "v2:author:en:=frank_herbert"
DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "ISBNdb is down")
SPENT = ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, "the day's calls are spent", retry_after_s=60)
MANY = [work(f"Volume {at:03}", "Prolific Writer", isbns=[f"97800000{at:05}"], year=1900 + at % 7) for at in range(130)]


def titles(answer: pb.AuthorBibliographyResponse) -> list[str]:
    """The titles of a page."""
    return [each.title for each in answer.works]


async def pages(it: House, author: str, **more: object) -> list[pb.AuthorBibliographyResponse]:
    """All pages, each asked for with the token of the one before."""
    found = [await it.author(author, **more)]
    while found[-1].next_page_token:
        found.append(await it.author(author, page_token=found[-1].next_page_token, **more))
    return found


async def test_works_of_an_author() -> None:
    """An author's works come in the order of their years, with the name as it is printed, and no others'."""
    async with open_house() as it:
        answer = await it.author("frank herbert")
        assert (titles(answer), answer.author, answer.next_page_token, answer.partial) == (
            ["Dune", "Dune Messiah"],
            HERBERT,
            "",
            False,
        )


async def test_answer_tells_where_it_came_from() -> None:
    """The answer and its trailing metadata name key, tier and age, and the answer what each provider did."""
    async with open_house() as it:
        await it.author(HERBERT)
        it.clock.advance(5)
        call = it.stub.AuthorBibliography(pb.AuthorBibliographyRequest(author=HERBERT))
        answer = await call
        trailing = {key: value for key, value in await call.trailing_metadata() or ()}  # noqa: C416 - gRPC's mapping
        assert (answer.provenance.key, answer.provenance.tier, answer.provenance.age_ms) == (KEY, TIER_MEMORY, 5_000)
        assert trailing["x-cache"] == "MEMORY; age_ms=5000; fresh"
        assert [(each.provider, each.state, each.edition_count, each.call_count) for each in answer.providers] == [
            ("isbndb", pb.PROVIDER_STATE_ANSWERED, 2, 1)
        ]


@pytest.mark.parametrize("spelling", ["Herbert, Frank", "FRANK  HERBERT", "Fränk Herbert", " frank herbert. "])
async def test_spellings_share_an_answer(spelling: str) -> None:
    """A name in another order, case or with other marks is the same author, and is asked for once."""
    async with open_house() as it:
        first = await it.author(HERBERT)
        second = await it.author(spelling)
        assert (titles(first), it.leaf.calls["AuthorBibliography"]) == (titles(second), 1)


async def test_languages_do_not_share_an_answer() -> None:
    """Each language has an answer of its own, and "" is "en"."""
    works = [
        work("Dune", HERBERT, isbns=[DUNE], language="en", year=1965),
        work("Der Wüstenplanet", HERBERT, isbns=["9783453317178"], language="de", year=1967),
        work("Eye", HERBERT, isbns=["9780425083987"], language="", year=1985),
    ]
    async with open_house(FakeLeaf(works=works)) as it:
        found = {language: titles(await it.author(HERBERT, language=language)) for language in ("", "EN", "de", "fr")}
        assert found == {
            "": ["Dune", "Eye"],
            "EN": ["Dune", "Eye"],
            "de": ["Der Wüstenplanet", "Eye"],
            "fr": ["Eye"],
        }
        assert it.leaf.calls["AuthorBibliography"] == 3


async def test_name_that_was_turned_round() -> None:
    """A name with its surname first and no comma is found as well, and does not spoil the answer of the right one."""
    async with open_house() as it:
        await it.author("Emma Nobody")
        turned = await it.author("Austen Jane")
        assert (titles(turned), turned.author, turned.provenance.key) == (
            ["Emma"],
            "Jane Austen",
            "v2:author:en:=austen_jane",
        )


@pytest.mark.parametrize("author", [" ", "?!", "unknown", "N/A", "12 34"])
async def test_nobodys_name(author: str) -> None:
    """A text that is nobody's name is refused, for records are full of it."""
    async with open_house() as it:
        with pytest.raises(InvalidArgumentError) as caught:
            await it.author(author)
        assert (caught.value.reason, caught.value.field) == ("INVALID_FIELD", "author")


@pytest.mark.parametrize(
    ("size", "expected"), [(0, [50, 50, 30]), (7, [7] * 18 + [4]), (100, [100, 30]), (999, [100, 30])]
)
async def test_page_sizes(size: int, expected: list[int]) -> None:
    """A page has fifty works by default and a hundred at most; all pages together are the whole in its order."""
    async with open_house(FakeLeaf(works=MANY)) as it:
        found = await pages(it, "Prolific Writer", page_size=size)
        whole = [title for page in found for title in titles(page)]
        ordered = [each.title for each in sorted(MANY, key=lambda each: (each.first_publication_year, each.title))]
        assert ([len(page.works) for page in found], whole) == (expected, ordered)
        assert it.leaf.calls["AuthorBibliography"] == 1


async def test_negative_page_size() -> None:
    """No page is smaller than nothing."""
    async with open_house() as it:
        with pytest.raises(InvalidArgumentError) as caught:
            await it.author(HERBERT, page_size=-1)
        assert (caught.value.reason, caught.value.field) == ("INVALID_FIELD", "page_size")


async def test_refresh_between_pages() -> None:
    """What comes and goes between two pages moves nothing else, and the caller is told that it happened."""
    async with open_house(FakeLeaf(works=MANY)) as it:
        first = await it.author("Prolific Writer")
        before = {each.title for each in first.works}
        gone = set(sorted(before)[:3])
        new = work("New", "Prolific Writer", isbns=[DUNE], year=1890)
        it.clock.advance(1)
        it.leaf.works = [new, *(each for each in MANY if each.title not in gone)]
        await it.author("Prolific Writer", cache_control=pb.CacheControl(no_cache=True))
        second = await it.author("Prolific Writer", page_token=first.next_page_token)
        third = await it.author("Prolific Writer", page_token=second.next_page_token)
        later = [title for page in (second, third) for title in titles(page)]
        assert sorted(later) == sorted(each.title for each in MANY if each.title not in before)
        assert (["made anew" in " ".join(page.gaps) for page in (first, second, third)]) == [False, True, False]


@pytest.mark.parametrize(
    ("author", "language"), [("Frank Herbert", "en"), ("Prolific Writer", "de"), ("Writer Prolific", "en")]
)
async def test_token_of_another_list(author: str, language: str) -> None:
    """A token is good for the author and the language that it was given for, and for nothing else."""
    async with open_house(FakeLeaf(works=MANY)) as it:
        token = (await it.author("Prolific Writer")).next_page_token
        with pytest.raises(InvalidArgumentError) as caught:
            await it.author(author, language=language, page_token=token)
        assert (caught.value.reason, caught.value.field) == ("INVALID_PAGE_TOKEN", "page_token")


async def test_token_is_good_for_every_spelling() -> None:
    """Whoever writes the name in another way goes on all the same."""
    async with open_house(FakeLeaf(works=MANY)) as it:
        first = await it.author("Prolific Writer")
        second = await it.author("writer, prolific", page_token=first.next_page_token, page_size=3)
        assert len(second.works) == 3


async def test_unknown_author() -> None:
    """Nothing found is an answer, and is believed for ten minutes."""
    async with open_house() as it:
        answer = await it.author("Nobody At All")
        it.clock.advance(599)
        await it.author("Nobody At All")
        calls = it.leaf.calls["AuthorBibliography"]
        it.clock.advance(2)
        await it.author("Nobody At All")
        assert (titles(answer), answer.author, calls, it.leaf.calls["AuthorBibliography"]) == ([], "", 1, 2)


async def test_outage_is_no_empty_answer() -> None:
    """When all providers fail the call fails, and the next one asks again."""
    async with open_house(FakeLeaf(failures={"*": DOWN})) as it:
        with pytest.raises(UnavailableError) as caught:
            await it.author(HERBERT)
        it.leaf.failures.clear()
        assert (caught.value.reason, titles(await it.author(HERBERT))) == (
            "ALL_PROVIDERS_FAILED",
            ["Dune", "Dune Messiah"],
        )


async def test_spent_quota() -> None:
    """A spent quota is told as such, with the time of its end."""
    async with open_house(FakeLeaf(failures={"*": SPENT})) as it:
        with pytest.raises(ResourceExhaustedError) as caught:
            await it.author(HERBERT)
        assert (caught.value.reason, caught.value.retry_after_s) == ("QUOTA_SPENT", 60)


async def test_old_answer_in_an_outage() -> None:
    """A whole that is past its time is still given page by page while the providers fail, and says that it is stale."""
    async with open_house(FakeLeaf(works=MANY)) as it:
        first = await it.author("Prolific Writer")
        it.leaf.failures["*"] = DOWN
        it.clock.advance(604_800 + 2 * 86_400)
        second = await it.author("Prolific Writer", page_token=first.next_page_token)
        assert (len(second.works), second.provenance.stale, list(second.gaps)) == (50, True, [])


async def test_callers_share_a_call() -> None:
    """Twenty callers who ask for the same author at once cost one call, whichever pages they want."""
    async with open_house() as it:
        await asyncio.gather(*(it.author(HERBERT, page_size=size % 3) for size in range(20)))
        assert it.leaf.calls["AuthorBibliography"] == 1


async def test_only_if_cached() -> None:
    """Who asks of the cache alone gets what it holds, or NOT_CACHED, and no provider is called."""
    async with open_house() as it:
        only = pb.CacheControl(only_if_cached=True)
        with pytest.raises(NotFoundError) as caught:
            await it.author(HERBERT, cache_control=only)
        await it.author(HERBERT)
        assert (caught.value.reason, len((await it.author(HERBERT, cache_control=only)).works)) == ("NOT_CACHED", 2)


@pytest.mark.parametrize(
    "target", [{"author": "Herbert, Frank"}, {"isbn": DUNE}, {"key": KEY}, {"prefix": "v2:author:"}]
)
async def test_purge(target: dict[str, str]) -> None:
    """A purge by author, ISBN, key or prefix reaches the bibliography."""
    async with open_house() as it:
        await it.author(HERBERT)
        it.clock.advance(1)
        await it.admin.PurgeCache(admin_pb.PurgeCacheRequest(**target))
        it.clock.advance(1)
        assert (await it.author(HERBERT)).provenance.tier == TIER_ORIGIN


async def test_purge_of_an_author_of_whom_nothing_is_known() -> None:
    """That nothing was found is purged by the name, too, for the author may have published since."""
    async with open_house() as it:
        await it.author("Nobody At All")
        it.clock.advance(1)
        await it.admin.PurgeCache(admin_pb.PurgeCacheRequest(author="nobody at all"))
        it.clock.advance(1)
        assert (await it.author("Nobody At All")).provenance.tier == TIER_ORIGIN


async def test_inspection() -> None:
    """Operators see an author's works under their key."""
    async with open_house() as it:
        await it.author(HERBERT)
        found = await it.admin.InspectKey(admin_pb.InspectKeyRequest(key=KEY))
        assert [copy.result_count for copy in found.copies] == [2, 2, 2]
