"""The only place that decides the language of an edition: from the record's word and from its script."""

import re
import unicodedata
from collections import Counter

_TAG = re.compile(r"^[a-z]{2,3}(?=$|[-_])")

_CODES = """
aa:aar ab:abk af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis bm:bam bn:ben
bo:bod bo:tib br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cs:cze cv:chv cy:cym cy:wel da:dan de:deu de:ger
dv:div dz:dzo ee:ewe el:ell el:gre en:eng eo:epo es:spa et:est eu:baq eu:eus fa:fas fa:per ff:ful fi:fin fj:fij fo:fao
fr:fra fr:fre fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:arm hy:hye
ia:ina id:ind ig:ibo io:ido is:ice is:isl it:ita iu:iku ja:jpn jv:jav ka:geo ka:kat kg:kon ki:kik kk:kaz kl:kal km:khm
kn:kan ko:kor ks:kas ku:kur kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lv:lav mg:mlg mi:mao mi:mri
mk:mac mk:mkd ml:mal mn:mon mr:mar ms:may ms:msa mt:mlt my:bur my:mya nb:nob ne:nep nl:dut nl:nld nn:nno no:nor nv:nav
ny:nya oc:oci om:orm or:ori pa:pan pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ro:rum ru:rus rw:kin sa:san sc:srd
sd:snd se:sme sg:sag si:sin sk:slk sk:slo sl:slv sm:smo sn:sna so:som sq:alb sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe
sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr
ur:urd uz:uzb vi:vie wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:chi zh:zho zu:zul
"""
_TWO_LETTERS = {three: two for two, three in (pair.split(":") for pair in _CODES.split())}
"""ISO 639-2, both its bibliographic and its terminological codes, to ISO 639-1, whose codes BCP 47 prefers."""

_NO_LANGUAGE = {"mis", "mul", "und", "zxx"}
"""Codes of ISO 639-2 that name no language; neither do words such as "unknown"."""

_GROUPS = {
    "9784": "ja",
    "9787": "zh",
    "978626": "zh",
    "978957": "zh",
    "978962": "zh",
    "978986": "zh",
    "978988": "zh",
    "97889": "ko",
    "97911": "ko",
}
"""ISBN registration groups of countries that write in Han characters (International ISBN Agency's range message)."""


def language_of(value: object) -> str:
    """The primary subtag of BCP 47, lower case: "en_US" is "en" and "fre" is "fr"; "" when there is none."""
    match = _TAG.match(value.strip().lower()) if isinstance(value, str) else None
    if match is None or match[0] in _NO_LANGUAGE:
        return ""
    return _TWO_LETTERS.get(match[0], match[0])


def corrected(language: str, title: str, others: str, isbn13: str) -> str:
    """The language that an edition can be in, given what stands on it; a wrong one is put right or taken away.

    ISBNdb says "en" of many Japanese books. A title in another script than its language has is evidence enough; which
    language it is then follows from the script, where only one uses it, or from the country of the ISBN.

    Args:
        language: what the record says, as `language_of` reads it; may be "".
        title: the title.
        others: more text of the edition: the authors' names.
        isbn13: its ISBN, or "".
    """
    script = _script(title)
    if script in ("", "LATIN"):
        return language
    if language and not _is_latin(language):
        return language
    if script == "KANA" or (script == "CJK" and _counts(others)["KANA"]):
        return "ja"
    if script == "CJK":
        return next((found for group, found in _GROUPS.items() if isbn13.startswith(group)), "")
    return {"HANGUL": "ko", "GREEK": "el", "HEBREW": "he", "THAI": "th"}.get(script, "")


_SCRIPTS = """
am ar as be bg bn bo dv dz el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru sa sd si sr ta te
tg th ti ug uk ur yi zh
"""
_NOT_LATIN = frozenset(_SCRIPTS.split())
"""Languages whose titles are usually in another script; of these, what the record says is believed."""


def _is_latin(language: str) -> bool:
    """Whether it surely is; of most languages that have three letters only, nothing is known here."""
    return len(language) == _KNOWN_LENGTH and language not in _NOT_LATIN


_KNOWN_LENGTH = 2
"""Letters of the codes in ISO 639-1, of which all are known that are not written in Latin letters."""


def is_latin_text(text: str) -> bool:
    """Whether most letters of a text are Latin, or it has none."""
    return _script(text) in ("", "LATIN")


def _script(text: str) -> str:
    """The script of most letters; "KANA" wherever there is some, for only Japanese has it; "" without letters."""
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else ""
    counts = _counts(text)
    if not counts:
        return ""
    if counts["KANA"] and counts["KANA"] + counts["CJK"] > counts["LATIN"]:
        return "KANA"
    return max(counts, key=lambda script: counts[script])


def _counts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for char in text:
        if not char.isalpha():
            continue
        name = unicodedata.name(char, "").partition(" ")[0]
        counts["KANA" if name in ("HIRAGANA", "KATAKANA") else name] += 1
    return counts
