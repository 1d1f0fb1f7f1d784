import pytest

from services.cataloguing.languages import corrected, language_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en_US", "en"),
        ("pt-BR", "pt"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("chi", "zh"),
        ("grc", "grc"),
        ("und", ""),
        ("English", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        (["en"], ""),
    ],
)
def test_language(value: object, expected: str) -> None:
    """A language is a primary subtag of BCP 47, the shortest that there is, or nothing."""
    assert expected == language_of(value)


@pytest.mark.parametrize(
    ("language", "title", "others", "isbn13", "expected"),
    [
        ("en", "ノルウェイの森", "村上 春樹", "9784062035156", "ja"),
        ("en", "雪国", "川端 康成", "9784101001012", "ja"),
        ("en", "雪国", "かわばた やすなり", "", "ja"),
        ("en", "三体", "刘慈欣", "9787536692930", "zh"),
        ("en", "三体", "刘慈欣", "", ""),
        ("en", "채식주의자", "한강", "9788936433598", "ko"),
        ("en", "Οδύσσεια", "", "", "el"),
        ("en", "Преступление и наказание", "", "9785170800568", ""),
        ("", "ノルウェイの森", "", "", "ja"),
        ("en", "Kafka on the Shore", "村上 春樹", "9781400079278", "en"),
        ("ja", "Kafka on the Shore", "", "", "ja"),
        ("en", "Python 入門", "", "9784000000000", "en"),
        ("zh", "三体", "", "9784152098702", "zh"),
        ("ru", "Преступление и наказание", "", "", "ru"),
        ("en", "1984", "", "", "en"),
        ("", "", "", "", ""),
    ],
)
def test_script_corrects_language(language: str, title: str, others: str, isbn13: str, expected: str) -> None:
    """A title in a script that its language is not written in puts the language right, or takes it away."""
    assert expected == corrected(language, title, others, isbn13)
