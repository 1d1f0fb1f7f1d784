import pytest

from services.cataloguing.names import authors_of, display_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ursula K. Le Guin", "Ursula K. Le Guin"),
        ("King, Stephen", "Stephen King"),
        ("Le Guin, Ursula K.", "Ursula K. Le Guin"),
        ("Nelson, Bob, Ph.D.", "Bob Nelson"),
        ("King, Martin Luther, Jr.", "Martin Luther King Jr."),
        ("Twain, Mark, 1835-1910", "Mark Twain"),
        ("Bob Nelson, Ph.D.", "Bob Nelson"),
        ("Robb, J.D.", "J.D. Robb"),
        ("Robb, J.D., Ph.D.", "J.D. Robb"),
        ("Seuss, Dr.", "Dr. Seuss"),
        ("Nelson, Ph.D.", "Nelson"),
        ("Bob Nelson, M.D.", "Bob Nelson"),
        ("Sammy Davis, Jr.", "Sammy Davis Jr."),
        ("田中, 卓也", "田中 卓也"),
        ("J.K. Rowling (Author)", "J.K. Rowling"),
        ("Rowling, J.K. [Author]", "J.K. Rowling"),
    ],
)
def test_person(text: str, expected: str) -> None:
    """A person's name has the first name first, without degrees, years or roles."""
    assert expected == display_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "Pratchett, Terry, Gaiman, Neil",
        "Prince Harry, The Duke of Sussex",
        "Scholastic, Inc",
        "Time, Life and Company",
        "Bill Clinton & James Patterson",
        "Smith, Jones & Brown",
        "Library of Congress, Division 4",
        "Homer",
    ],
)
def test_doubtful_name_stays(text: str) -> None:
    """What is not surely one person's name turned round is left as it stands."""
    assert text == display_name(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["Frank Herbert", "frank herbert", "Brian Herbert"], ("Frank Herbert", "Brian Herbert")),
        (["田中 卓也 ~autofilled~"], ("田中 卓也",)),
        (["Unknown", "N/A", "", None, 7.5, "Author Unknown", [], "50 Cent"], ("50 Cent",)),
        ("Frank Herbert; Brian Herbert", ("Frank Herbert", "Brian Herbert")),
        ([{"name": "Frank Herbert"}, {"nom": "x"}], ("Frank Herbert",)),
        (None, ()),
        (12, ()),
        ({"0": "Frank Herbert"}, ()),
    ],
)
def test_authors(value: object, expected: tuple[str, ...]) -> None:
    """Each author stands once and in order; nobody and nonsense do not stand at all."""
    assert expected == authors_of(value)


def test_endless_list_of_authors_is_cut() -> None:
    """A catalogue of contributors does not fill the answer."""
    assert len(authors_of([f"Author {number}" for number in range(500)])) == 30
