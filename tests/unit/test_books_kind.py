"""What a caller knows its text to be: it spares calls in batch work, and changes nothing else."""

import asyncio

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.isbndb.v1 import isbndb_service_pb2 as leaf_pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE
from bookmesh.type.v1.book_pb2 import Work

from mesh.status import UnavailableError
from mesh.trace import CLASS_KEY
from tests.unit.books_house import FakeLeaf, House, open_house, work

BATCH = ((CLASS_KEY, "batch"),)
DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")
AUTHOR, BOTH = pb.QUERY_KIND_AUTHOR, pb.QUERY_KIND_TITLE_AND_AUTHOR
SHELF = (
    work("Dune", "Frank Herbert", isbns=["9780441013593"], year=1965),
    work("Dune Messiah", "Frank Herbert", isbns=["9780593098233"], year=1969),
    work("Dune", "Frank Herbert", isbns=["9782266233200"], language="fr"),
    work("Herbert's Dune", "A. Critic", isbns=["9780306406157"]),
    work("Stand by Me", "Stephen King", isbns=["9780451171689"]),
)


def ask(q: str, kind: pb.QueryKind.ValueType, **more: int) -> pb.SearchAutoRequest:
    """A search that says what its text is."""
    return pb.SearchAutoRequest(q=q, kind=kind, **more)  # type: ignore[arg-type]  # any field


async def batch(it: House, *queries: pb.SearchAutoRequest) -> list[pb.BatchSearchAutoResponse]:
    """The answers to a batch for which nobody waits, in the order of its searches."""
    call = it.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=queries), metadata=BATCH)
    return sorted([answer async for answer in call], key=lambda answer: answer.query_index)


def told(answers: list[pb.BatchSearchAutoResponse]) -> list[list[str]]:
    """The titles of each answer, or its reason."""
    return [
        [answer.error.reason] if answer.error.reason else [each.title for each in answer.response.results]
        for answer in answers
    ]


def costs(answers: list[pb.BatchSearchAutoResponse]) -> list[int]:
    """What each answer says that it cost."""
    return [sum(each.call_count for each in answer.response.providers) for answer in answers]


async def test_author_costs_one_call() -> None:
    """An author who is found by name costs one call, and the answer has the author's books in the language."""
    async with open_house(FakeLeaf(SHELF)) as it:
        answers = await batch(it, ask("Frank Herbert", AUTHOR))
        assert (told(answers), costs(answers)) == ([["Dune", "Dune Messiah"]], [1])
        assert it.leaf.calls == {"AuthorBibliography": 1}
        assert answers[0].response.interpretation.kind == AUTHOR


async def test_author_is_asked_for_in_the_same_way_by_a_search() -> None:
    """A single search that nobody waits for is spared as much."""
    async with open_house(FakeLeaf(SHELF)) as it:
        found = await it.stub.SearchAuto(ask("Herbert, Frank", AUTHOR), metadata=BATCH)
        assert ([each.title for each in found.results], it.leaf.calls) == (
            ["Dune", "Dune Messiah"],
            {"AuthorBibliography": 1},
        )


@pytest.mark.parametrize("kind", [AUTHOR, BOTH])
async def test_who_waits_is_asked_for_as_ever(kind: pb.QueryKind.ValueType) -> None:
    """What somebody waits for is asked in every way, alone and with others, whatever is said of the text."""
    async with open_house(FakeLeaf(SHELF)) as plain, open_house(FakeLeaf(SHELF)) as said, open_house() as together:
        await plain.search("Dune by Frank Herbert")
        await said.search("Dune by Frank Herbert", kind=kind)
        await together.batch(ask("Dune by Frank Herbert", kind))
        assert plain.leaf.requests == said.leaf.requests
        assert "AuthorBibliography" not in together.leaf.calls


async def test_live_search_is_as_good_after_it() -> None:
    """A later search is answered out of it, with the author's books as a search without the word has them."""
    async with open_house(FakeLeaf(SHELF)) as it, open_house(FakeLeaf(SHELF)) as plain:
        await batch(it, ask("Frank Herbert", AUTHOR))
        before = it.leaf.calls.total()
        later, ever = await it.search("frank herbert"), await plain.search("frank herbert")
        own = [each for each in ever.results if each.authors[0].name == "Frank Herbert"]
        assert (list(later.results), it.leaf.calls.total()) == (own, before)
        assert later.interpretation == ever.interpretation


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
async def test_author_is_fetched_once_in_a_batch(order: tuple[int, ...]) -> None:
    """An author and titles of the author's cost one call together, which the first of them carries, in any order."""
    searches = (
        ask("Frank Herbert", AUTHOR),
        ask("Dune by Frank Herbert", BOTH),
        ask("Dune Messiah by Herbert, Frank", BOTH),
    )
    async with open_house(FakeLeaf(SHELF)) as it:
        answers = await batch(it, *(searches[at] for at in order))
        expected = [["Dune", "Dune Messiah"], ["Dune", "Dune Messiah"], ["Dune Messiah"]]
        assert told(answers) == [expected[at] for at in order]
        assert (sum(costs(answers)), it.leaf.calls) == (1, {"AuthorBibliography": 1})


async def test_title_is_found_as_a_search_would_find_it() -> None:
    """A title's answer is ranked and understood as without the word."""
    async with open_house(FakeLeaf(SHELF)) as it, open_house(FakeLeaf(SHELF)) as plain:
        (answer,) = await batch(it, ask("Dune Messiah by Frank Herbert", BOTH))
        ever = await plain.search("Dune Messiah by Frank Herbert")
        assert (answer.response.results[0], answer.response.interpretation) == (ever.results[0], ever.interpretation)


async def test_last_by_parts_title_and_author() -> None:
    """A title may have a "by" of its own."""
    async with open_house(FakeLeaf(SHELF)) as it:
        assert told(await batch(it, ask("Stand by Me by Stephen King", BOTH))) == [["Stand by Me"]]
        assert it.leaf.calls == {"AuthorBibliography": 1}


@pytest.mark.parametrize("title", ["Dune Mesiah", "Dune Messiah: A Novel", "Dune Messiah (Dune Chronicles, #2)"])
async def test_title_is_matched_as_any_other(title: str) -> None:
    """Errors of typing, subtitles and series are understood among an author's books as well."""
    async with open_house(FakeLeaf(SHELF)) as it:
        assert told(await batch(it, ask(f"{title} by Frank Herbert", BOTH))) == [["Dune Messiah"]]
        assert it.leaf.calls == {"AuthorBibliography": 1}


async def test_title_that_an_author_does_not_have() -> None:
    """Where all books of an author are known and none has the title, nobody is asked further: there is none."""
    async with open_house(FakeLeaf(SHELF)) as it:
        answers = await batch(it, ask("Emma by Frank Herbert", BOTH), ask("Frank Herbert", AUTHOR))
        assert (told(answers)[0], it.leaf.calls) == ([], {"AuthorBibliography": 1})
        it.clock.advance(601)  # CACHE_NEGATIVE_TTL
        await it.batch(ask("Emma by Frank Herbert", BOTH))
        assert it.leaf.calls.total() > 1


async def test_author_of_too_many_books() -> None:
    """Where an author's page is not all, and lacks the title, the text is searched for as without the word."""
    async with open_house(FakeLeaf(SHELF, page_limit=1)) as it:
        answers = await batch(it, ask("Dune Messiah by Frank Herbert", BOTH))
        assert told(answers)[0][0] == "Dune Messiah"
        assert (costs(answers), it.leaf.calls["SearchBooks"] > 0) == ([it.leaf.calls.total()], True)


async def test_further_page_is_asked_for_in_the_language_alone() -> None:
    """An author with more books than a page holds is asked for once more, in the language, unless there are enough."""
    many = [work(f"Book {at}", "Ann Author", isbns=[f"978{at:010}"]) for at in range(120)]
    for works, calls in ((many, 1), (many[:50], 2)):
        async with open_house(FakeLeaf(works, next_page=2)) as it:
            answers = await batch(it, ask("Ann Author", AUTHOR))
            assert (len(told(answers)[0]), costs(answers)) == (min(len(works), 40), [calls])
            languages = [
                each.language for each in it.leaf.requests if isinstance(each, leaf_pb.AuthorBibliographyRequest)
            ]
            assert languages == ["*", "en"][:calls]


@pytest.mark.parametrize(("name", "searches"), [("Nobody Known", 0), ("Nobody", 1)])
async def test_unknown_author(name: str, searches: int) -> None:
    """A name under which there is nothing is nobody's; a single word is sought among all words, once for all."""
    async with open_house(FakeLeaf(SHELF)) as it:
        answers = await batch(it, ask(name, AUTHOR), ask(f"Nothing by {name}", BOTH))
        assert (told(answers), costs(answers)) == ([[], []], [1 + searches, 0])
        assert (it.leaf.calls["AuthorBibliography"], it.leaf.calls["SearchBooks"]) == (1, searches)


async def test_surname_finds_its_author() -> None:
    """A name that is part of another finds that one's books."""
    async with open_house(FakeLeaf(SHELF)) as it:
        answers = await batch(it, ask("Herbert", AUTHOR))
        assert (told(answers)[0][:2], costs(answers)) == (["Dune", "Dune Messiah"], [2])


async def test_languages_are_authors_of_their_own() -> None:
    """What is asked for in another language, or with translations, is not answered out of what one language has."""
    async with open_house(FakeLeaf(SHELF)) as it:
        searches = (
            ask("Frank Herbert", AUTHOR),
            ask("Frank Herbert", AUTHOR, language="fr"),  # type: ignore[arg-type]  # a language is text
            ask("Frank Herbert", AUTHOR, include_translations=True),
        )
        answers = await batch(it, *searches)
        editions = [
            sorted(edition.language for each in answer.response.results for edition in each.editions)
            for answer in answers
        ]
        assert editions == [["en", "en"], ["fr"], ["en", "en", "fr"]]


@pytest.mark.parametrize("method", ["AuthorBibliography", "SearchBooks"])
async def test_outage_is_never_nothing_found(method: str) -> None:
    """Where the author can't be asked for, author and titles fail, and what is asked next may succeed."""
    async with open_house(FakeLeaf(SHELF, failures={method: DOWN})) as it:
        name = "Frank Herbert" if method == "AuthorBibliography" else "Nobody"
        searches = ask(name, AUTHOR), ask(f"Dune by {name}", BOTH)
        assert told(await batch(it, *searches)) == [["ALL_PROVIDERS_FAILED"]] * 2
        it.leaf.failures.clear()
        again = await batch(it, *searches)
        assert [answer.WhichOneof("outcome") for answer in again] == ["response", "response"]


@pytest.mark.parametrize("q", ["Dune", "by Frank Herbert", "Dune by ???", f"Dune by {'x' * 201}"])
async def test_text_that_is_not_what_is_said(q: str) -> None:
    """A text without a title or an author is searched for as without the word."""
    async with open_house(FakeLeaf(SHELF)) as it, open_house(FakeLeaf(SHELF)) as plain:
        answers, ever = await batch(it, ask(q, BOTH)), await batch(plain, pb.SearchAutoRequest(q=q))
        assert (told(answers), it.leaf.requests) == (told(ever), plain.leaf.requests)


async def test_thousand_titles_of_an_author_in_many_batches() -> None:
    """Batches at the same time each ask for an author once at most, and none for what another has made."""
    works: list[Work] = [work(f"Volume {at}", "Ann Author", isbns=[f"978{at:010}"]) for at in range(90)]
    async with open_house(FakeLeaf(works)) as it:
        searches = [ask(f"Volume {at} by Ann Author", BOTH) for at in range(90)]
        answers = await asyncio.gather(*(batch(it, *searches[at::3]) for at in range(3)))
        assert sum(sum(costs(each)) for each in answers) == it.leaf.calls.total() <= 3
        assert all(each.response.results for some in answers for each in some)
