"""The only place that knows what people and programs call the columns of a list of books, in many languages.

A name is compared by its letters and digits alone, without case and accents: "Título" is "titulo", "ISBN-13" "isbn13".
"""

import unicodedata
from collections.abc import Sequence
from enum import Enum


class Role(Enum):
    """What a column holds; the words are those of the answer."""

    TITLE = "title"
    AUTHOR = "author"
    MORE_AUTHORS = "more authors"
    LAST_NAME = "last name"
    FIRST_NAME = "first name"
    ISBN13 = "isbn13"
    ISBN = "isbn"
    ISBN10 = "isbn10"
    ISBNS = "isbns"
    IDENTIFIERS = "identifiers"
    MORE_ROLES = "more roles"


_ALIKE = str.maketrans("ıłøđ", "ilod")
"""Letters whose stroke or missing dot is no accent to Unicode: people leave it out all the same."""


def plain(name: str) -> str:
    """A column's name as it is compared."""
    if name.isascii():
        return "".join(filter(str.isalnum, name.lower()))
    letters = unicodedata.normalize("NFKD", name.casefold()).translate(_ALIKE)
    return "".join(letter for letter in letters if letter.isalnum())


def _names(*lines: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(name) for line in lines for name in line.split("|")))


TITLES = _names(
    "title|book title|title of book|title of the book|full title|work title|item title|product title|product name",
    "main title|complete title|original title and subtitle|book name|name of book|name of the book",
    "titel|buchtitel|werktitel|haupttitel|titre|titre du livre|titre complet|título|título del libro|título do livro",
    "titolo|titolo del libro|titel boek|boektitel|boktitel|bogtitel|tittel|nimeke|teos|teoksen nimi|tytuł|tytul",
    "tytuł książki|název|nazev|název knihy|názov|cím|konyv cime|titlu|titlul|naslov|naslov knjige|pavadinimas",
    "pealkiri|nosaukums|titill|título da obra|başlık|kitap adı|kitap|eser adı|τίτλος|τίτλος βιβλίου",
    "название|название книги|наименование|заглавие|назва|назва книги|наслов|العنوان|عنوان|عنوان الكتاب|اسم الكتاب",
    "כותר|כותרת|שם הספר|タイトル|書名|作品名|本のタイトル|书名|書籍名稱|书籍名称|标题|標題",
    "제목|도서명|책제목|책이름|서명|书名全称|图书名称|图书名|書籍名|题名|題名|本の題名|本の名前",
    "title and subtitle|title subtitle|edition title|titel des buches|name des buches|titre de l ouvrage|nom du livre",
    "nombre del libro|nome do livro|nome del libro|nome libro|titolo opera|títol|naam van het boek|a könyv címe",
    "könyvcím|kitabın adı|книги|наименование книги|название произведения",
    "शीर्षक|पुस्तक का नाम|tên sách|nhan đề|tiêu đề|judul|judul buku|tajuk",
    "original title|title sort|short title|name|book|books|work|item|libro|livre|livro|buch|boek|bok|bog|kirja|książka",
    "kniha|knjiga|könyv|carte|книга|كتاب|ספר|本|책|buku|sách|obra|opera|ouvrage|oeuvre|werk|nazwa|nimi|名称|naam",
    "publication|nombre|nome|nom",
)
"""The likeliest first; what may as well mean something else stands last."""

AUTHORS = _names(
    "author|authors|author name|author names|name of author|authors name|book author|book authors|author full name",
    "primary author|main author|first author|author 1|author1|all authors|author text|author first last",
    "author firstname lastname|writer|writers|written by|creator|creators|by|author s|novelist|poet",
    "autor|autoren|autorin|autor in|autorinnen|autor innen|autorenname|verfasser|verfasserin|schriftsteller|urheber",
    "auteur|auteurs|auteure|auteurice|auteur principal|nom de l auteur|écrivain|ecrivain|autores|autora|autor es",
    "nombre del autor|nome do autor|escritor|autore|autori|autrice|nome autore|nome dell autore|scrittore",
    "schrijver|schrijvers|författare|forfattare|forfatter|forfattere|kirjailija|tekijä|tekija|tekijät|autorzy",
    "autorka|pisarz|autoři|spisovatel|szerző|szerzo|szerzők|autorul|avtor|avtorji|pisac|autorius|kirjanik|autors",
    "höfundur|yazar|yazarı|yazar adı|yazarlar|συγγραφέας|συγγραφεας|автор|авторы|автори|писатель|имя автора",
    "المؤلف|مؤلف|اسم المؤلف|الكاتب|מחבר|סופר|שם המחבר|著者|著者名|作者|作家|著|著者編者|저자|지은이|작가|글쓴이",
    "लेखक|tác giả|pengarang|penulis|auth|autoria|name des autors|författarens namn|фио автора|автор книги|szerző neve",
    "yazarın adı|作者姓名|责任者|責任者",
    "author last first|author lf|author sort|authors sort|sort author|document provider|editor|editors|contributor",
    "contributors",
)
"""The likeliest first; a name turned round is only read where nothing better stands beside it."""

MORE_AUTHORS = _names(
    "additional authors|additional author|author 1|author1|co authors|co author|coauthor|coauthors",
    "other authors|other author",
    "secondary author|secondary authors|second author|third author|author 2|author 3|author 4|author 5|author2|author3",
    "author4|author5|author ii|author iii|weitere autoren|co autor|mitautor|autor 2|autor 3|autres auteurs",
    "co auteur|coauteur|otros autores|coautor|coautores|altri autori|coautore|andere auteurs|medförfattare",
)

LAST_NAMES = _names(
    "author last name|author lastname|last name|lastname|author last|author surname|surname|family name",
    "author family name|nachname|autor nachname|nachname autor|familienname|nom de famille|nom auteur|apellido",
    "apellidos|apellido autor|cognome|cognome autore|sobrenome|achternaam|efternamn|etternavn|efternavn|nazwisko",
    "příjmení|soyadı|фамилия|фамилия автора",
)

FIRST_NAMES = _names(
    "author first name|author firstname|first name|firstname|author first|author given name|given name|forename",
    "vorname|autor vorname|vorname autor|prénom|prénom auteur|prenom|nombre autor|nome autore|voornaam|förnamn",
    "fornavn|imię|jméno|имя|имя автора",
)

HALF_NAMES = _names("name|nom|nome|nombre|naam|namn|navn|имя|imię|név|nombres|nomes|noms|names")
"""What a half of a person's name is called where the other half has a column that says so: "Nom" beside "Prénom"."""

ISBN13S = _names("isbn13|isbn 13 digits|isbn13 text|ean isbn13|ean13|ean|gtin|gtin13|book isbn13|isbn 13|isbn13 ean")
ISBN10S = _names("isbn10|upc isbn10|isbn 10 digits|book isbn10|isbn 10")
ISBNS = _names(
    "isbn|isbn uid|isbn asin|isbn issn|isbn or ean|isbn ean|isbn 10 13|isbn 10 isbn 13|isbn number|isbn no|isbn nr",
    "isbn num|isbn code|isbn nummer|número isbn|numéro isbn|numero isbn|book isbn|codice isbn|código isbn|primary isbn",
    "isbn cislo|isbn číslo|isbn numarası|书号|書號|国际标准书号|國際標準書號|国際標準図書番号|исбн",
    "isbn13 or isbn10|ebook isbn|print isbn",
)
ISBN_LISTS = _names("isbns|all isbns|isbn list|isbn numbers|other isbns|lisbn")
IDENTIFIERS = _names("identifiers|identifier|ids")

NAMES: dict[Role, Sequence[str]] = {
    Role.TITLE: TITLES,
    Role.AUTHOR: AUTHORS,
    Role.LAST_NAME: LAST_NAMES,
    Role.FIRST_NAME: FIRST_NAMES,
    Role.MORE_AUTHORS: MORE_AUTHORS,
    Role.ISBN13: ISBN13S,
    Role.ISBN: ISBNS,
    Role.ISBN10: ISBN10S,
    Role.ISBNS: ISBN_LISTS,
    Role.IDENTIFIERS: IDENTIFIERS,
}
"""What a column may be called where the format does not say it."""

TURNED = frozenset(_names("author last first|author lf|author sort|authors sort|sort author|autor nachname vorname"))
"""Names of columns that say themselves that the last name comes first."""

_TITLE_WORDS = frozenset(
    {"title", "titles", "titel", "titels", "titre", "titolo", "título", "titulo", "títol", "tytuł", "název", "naslov"}
    | {"название", "назва", "заглавие"}
)
_AUTHOR_WORDS = frozenset(
    {"author", "authors", "autor", "autors", "autoren", "autores", "autora", "auteur", "auteurs", "autore", "autori"}
    | {"writer", "writers", "schrijver", "författare", "författarens", "forfatter", "kirjailija", "szerző", "yazar"}
    | {"автор", "автора", "авторы", "авторов"}
)
_OTHER_TITLES = frozenset(
    {"series", "sort", "sub", "subtitle", "short", "job", "review", "list", "shelf", "collection", "original", "url"}
    | {"id", "chapter", "alternate", "alternative", "translated", "uniform", "count", "language", "urls", "uri"}
)
_OTHER_AUTHORS = frozenset(
    {"id", "role", "roles", "url", "link", "sort", "key", "count", "bio", "gender", "birth", "nationality", "country"}
    | {"rating", "photo", "image", "original", "about", "note", "notes", "goodreads", "by", "date", "type", "last"}
    | {"first", "year", "born", "died", "corporate", "review", "cover", "age", "race", "ethnicity", "average"}
    | {"urls", "links", "uri", "uris", "ids", "keys"}
)


def role_of_words(name: str) -> Role | None:
    """What a column may hold whose name nobody foresaw, by its words: "Title (as printed)", "Which ISBN?"."""
    words = set("".join(letter if letter.isalnum() else " " for letter in name.casefold()).split())
    bare = plain(name)
    if "isbn" in bare and not {"count", "status", "valid", "source"} & words:
        return Role.ISBN13 if "13" in bare else Role.ISBN10 if "10" in bare else Role.ISBN
    if _TITLE_WORDS & words:
        return None if _OTHER_TITLES & words else Role.TITLE
    if _AUTHOR_WORDS & words:
        return None if _OTHER_AUTHORS & words else Role.AUTHOR
    return None
