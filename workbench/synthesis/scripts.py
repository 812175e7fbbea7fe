"""The scripts that languages are written in, and texts in a wrong one."""

import functools

import regex

from workbench.data.pairs import normalised
from workbench.synthesis.agreement import WORD, many_words

TABLE = """
Latin: aa ace ae af ak an ast ay ban bem bi bjn bm br bs ca ceb ch co cs cy da de dik dyu ee en eo es et eu fi fj fo fon
Latin: fr fur fuv fy ga gd gl gn gv haw hil ho hr ht hu hz ia id ie ig ilo io is it jv kab kac kam kbp kea kg ki kj kl
Latin: kmb kr kw la lb lg li lij lmo ln lt ltg lu lua luo lus lv mfe mg mh mi min mos mt na nb nd ng nl nn no nr nso nus
Latin: nv ny oc om pag pap pl pt qu rm rn ro rw sc se sg sk sl sm sn so sq srn ss st su sv sw szl tl tn to tpi ts tum tr
Latin: ik tw ty umb vec ve vi vo wa war wo xh yo za zu
Latin Arabic: ff ha ku ms
Cyrillic: ab av ba be bg bxr ce cv kv mk myv os ru tt udm uk
Cyrillic Glagolitic: cu
Cyrillic Latin: sr sh tg tk uz crh
Cyrillic Latin Arabic: az kk ky ug
Cyrillic Mongolian: mn
Greek: el grc
Arabic: acm acq aeb apc ar arb ars ary arz azb ckb fa ps prs ur
Arabic Devanagari: ks sd
Hebrew: he yi
Ethiopic: am ti
Devanagari: awa bho gom hi hne mag mai mr ne new sa
Devanagari Latin: pi
Bengali: as bn mni
Gujarati: gu
Gurmukhi Arabic: pa
Oriya: or
Ol_Chiki: sat
Tamil: ta
Telugu: te
Kannada: kn
Malayalam: ml
Sinhala: si
Thaana: dv
Armenian: hy
Georgian: ka
Tibetan: bo dz
Myanmar: my shn
Khmer: km
Lao: lo
Thai: th
Han Bopomofo: zh wuu yue nan
Han Hiragana Katakana: ja
Hangul Han: ko
Tifinagh Latin: taq tzm
Canadian_Aboriginal Latin: cr iu oj
Yi: ii
"""
"""Unicode's names of scripts, and the ISO 639 codes of languages that are written in any of them."""
LEAST = 0.5
"""Share of a text's own letters that are of the language's scripts; words of the source do not count."""
TRACE = 0.1
"""A text of several words with a smaller share is in a wrong script even if all its words are the source's."""
LETTER = regex.compile(r"[[\p{L}\p{M}]--[\p{Script=Common}\p{Script=Inherited}]]", regex.V1)


@functools.cache
def scripts_of(language: str) -> tuple[str, ...]:
    """Unicode's names of the scripts that a language is written in; none where that is not known."""
    for line in TABLE.strip().splitlines():
        scripts, _, languages = line.partition(": ")
        if language in languages.split():
            return tuple(scripts.split())
    return ()


@functools.cache
def letters_of(scripts: tuple[str, ...]) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """A letter of these scripts; a run of letters of others."""
    own = "[" + "".join(rf"\p{{Script={script}}}" for script in scripts) + "]"
    within = regex.compile(rf"[[\p{{L}}\p{{M}}]&&{own}]", regex.V1)
    return within, regex.compile(rf"[[\p{{L}}\p{{M}}]--{own}]+", regex.V1)


def in_wrong_script(text: str, source: str, language: str) -> bool:
    """Whether most letters of a text are of scripts that its language is not written in.

    Names and terms that it takes over from its source do not count against it, unless it consists of them. Letters
    that Unicode counts to no one script count neither way. False where the language's scripts are not known.
    """
    scripts = scripts_of(language)
    if not scripts:
        return False
    text = normalised(text)
    own, others = letters_of(scripts)
    right = len(own.findall(text))
    runs = [(run, len(LETTER.findall(run))) for run in others.findall(text)]
    if not any(count for _, count in runs):
        return False
    known = set(WORD.findall(normalised(source)))
    wrong = sum(count for run, count in runs if run not in known)
    trace = right < TRACE * (right + sum(count for _, count in runs))
    return right < LEAST * (right + wrong) or (trace and many_words(text))
