"""The script and the family of languages, to see whether pairs that are near to each other fare better.

Families are the top level of Glottolog's classification, scripts the ISO 15924 code of the one that a language is
mostly written in.
"""

from __future__ import annotations

TABLE = """
Afro-Asiatic    Arab ar             Latn ha so          Hebr he             Ethi am
Austroasiatic   Latn vi             Khmr km
Austronesian    Latn id jv ms su tl
Dravidian       Taml ta             Telu te             Knda kn             Mlym ml
Atlantic-Congo  Latn rn rw sw yo ig xh zu
Indo-European   Latn af ca cs da de en es fr gl hr it lt lv nl no pl pt ro sk sl sq sv  Cyrl be bg mk ru sr uk
Indo-European   Arab fa ps ur       Deva hi mr ne       Beng as bn          Gujr gu             Guru pa
Indo-European   Grek el             Sinh si             Armn hy             Orya or
Japonic         Jpan ja
Kartvelian      Geor ka
Koreanic        Kore ko
Mongolic        Cyrl mn
Sino-Tibetan    Hani zh             Mymr my             Tibt bo
Tai-Kadai       Thai th             Laoo lo
Turkic          Latn az tr uz       Cyrl kk ky tt
Uralic          Latn et fi hu
language-isolate Latn eu
"""
UNKNOWN = "unknown"


def read_table() -> dict[str, tuple[str, str]]:
    """By ISO 639-1 code the family and the script."""
    found = {}
    for line in TABLE.strip().splitlines():
        family, *words = line.split()
        script = UNKNOWN
        for word in words:
            if word[0].isupper():
                script = word
            else:
                found[word] = family, script
    return found


KNOWN = read_table()


def family(language: str) -> str:
    """`Indo-European`; `unknown` for a language that the table lacks."""
    return KNOWN.get(language, (UNKNOWN, UNKNOWN))[0]


def script(language: str) -> str:
    """`Latn`; `unknown` for a language that the table lacks."""
    return KNOWN.get(language, (UNKNOWN, UNKNOWN))[1]
