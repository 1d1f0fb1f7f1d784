"""The only place that knows the words that stand where nobody wrote a book, or nobody knows who. Pure."""

NOBODY = frozenset(
    word
    for words in (
        "anonymous|anon|anonym|anonyme|anónimo|anonimo|anonymus|аноним|various|various authors|various artists",
        "various contributors|varies|unknown|unknown author|author unknown|unbekannt|inconnu|desconocido",
        "sconosciuto|onbekend|okänd|n/a|na|none|null|nan|no author|not available|undefined|multiple",
        "multiple authors|several|several authors|diverse|divers|diverse autoren|verschiedene",
        "verschiedene autoren|collectif|varios|varios autores|autori vari|et al|others|and others|uncredited",
        "autor desconocido|佚名|著者不明|aavv|vvaa|aa.vv|vv.aa|aa. vv|vv. aa",
    )
    for word in words.split("|")
)
"""No author worth a search; "AA. VV." and "VV.AA." are several in Italy and Spain."""


def is_nobody(name: str) -> bool:
    """Whether what stands for an author names none."""
    return name.casefold().rstrip(".") in NOBODY
