"""The only place that knows language codes: MARC's three letters, ISO 639-1's two, and what providers make of them."""

_ISO639 = {
    "afr": "af", "alb": "sq", "ara": "ar", "arm": "hy", "asm": "as", "aze": "az", "bel": "be", "ben": "bn", "bul": "bg",
    "cat": "ca", "chi": "zh", "cze": "cs", "dan": "da", "dut": "nl", "eng": "en", "est": "et", "fin": "fi", "fre": "fr",
    "geo": "ka", "ger": "de", "gle": "ga", "glg": "gl", "gre": "el", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu",
    "ice": "is", "ind": "id", "ita": "it", "jpn": "ja", "kaz": "kk", "kor": "ko", "lat": "la", "lav": "lv", "lit": "lt",
    "ltz": "lb", "mac": "mk", "may": "ms", "nor": "no", "oci": "oc", "per": "fa", "pol": "pl", "por": "pt", "rum": "ro",
    "rus": "ru", "slo": "sk", "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk",
    "urd": "ur", "uzb": "uz", "wel": "cy", "yid": "yi",
}  # fmt: skip
"""MARC code list for languages -> ISO 639-1. The terminological twins (fra, deu, zho, ...) stand in _TWINS."""

_TWINS = {
    "fra": "fr", "deu": "de", "zho": "zh", "ces": "cs", "nld": "nl", "ell": "el", "isl": "is", "fas": "fa", "ron": "ro",
    "slk": "sk", "sqi": "sq", "hye": "hy", "kat": "ka", "mkd": "mk", "msa": "ms", "cym": "cy",
}  # fmt: skip
"""ISO 639-2/T codes that differ from MARC's."""


def iso639(code: str) -> str:
    """The two-letter code where there is one; "en_US", "en-US" and "eng" are "en", anything unknown stays itself."""
    code = code.strip().lower().replace("-", "_").partition("_")[0]
    return _ISO639.get(code) or _TWINS.get(code) or code


def marc(code: str) -> str:
    """MARC's three letters for a language, which Open Library uses; a code without any stays itself."""
    return _MARC.get(iso639(code), code)


_MARC = {two: three for three, two in _ISO639.items()}
