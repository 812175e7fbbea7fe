"""What the families of translation checkpoints share and how they differ: where they lie, how languages are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputError, allowed
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.codes import m2m100_codes, marian_token, nllb_codes

USUAL: Mapping[str, str] = {
    "nllb": "facebook/nllb-200-distilled-600M",
    "m2m100": "facebook/m2m100_418M",
    "marian": "Helsinki-NLP/opus-mt-{source}-{target}",
}
"""The checkpoint of a family where none is named."""

ARCHITECTURES: Mapping[str, tuple[str, ...]] = {
    "nllb": ("m2m_100", "nllb-moe"),
    "m2m100": ("m2m_100",),
    "marian": ("marian",),
}
"""`model_type` of a family's checkpoints."""


@dataclass(frozen=True)
class Direction:
    """How one pair of languages is said to a model."""

    prefix: str
    """Put before each text."""
    forced: int | None
    """The token that each translation has to begin with."""
    marks: frozenset[int]
    """The tokens of all languages: no part of a translation's text."""


def checkpoint_name(spec: TranslatorSpec, source: str, target: str) -> str:
    """The hub id or the folder of the checkpoint for a pair of languages."""
    named = spec.checkpoint or USUAL[spec.kind]
    return named.replace("{source}", source).replace("{target}", target)


def one_for_all(spec: TranslatorSpec) -> bool:
    """Whether one checkpoint serves all pairs of languages."""
    return checkpoint_name(spec, "en", "de") == checkpoint_name(spec, "de", "en")


def check_languages(spec: TranslatorSpec, languages: Sequence[str]) -> None:
    """
    Raises
    ------
    InputError
        One that the family's models do not know.
    """
    known: Mapping[str, object] = {"nllb": nllb_codes, "m2m100": m2m100_codes}.get(spec.kind, dict)()
    for language in languages:
        if known and language not in known:
            raise InputError(f"translator.kind: {spec.kind} has no language {language!r}; {allowed(language, known)}")


def directed(spec: TranslatorSpec, tokenizer: Any, where: str, source: str, target: str) -> Direction:
    """Sets the tokenizer to the source language, says the rest.

    Raises
    ------
    InputError
        The checkpoint does not have one of the languages.
    """
    vocabulary: Mapping[str, int] = tokenizer.get_vocab()
    if spec.kind == "marian":
        return marian_direction(vocabulary, where, target)
    # the vocabulary of M2M100's tokenizer holds its language tokens only where its files list them as special
    tokens = {**vocabulary, **getattr(tokenizer, "lang_token_to_id", {})}
    codes = nllb_codes() if spec.kind == "nllb" else m2m100_codes()
    named = {language: code if spec.kind == "nllb" else f"__{code}__" for language, code in codes.items()}
    for language in (source, target):
        if named.get(language) not in tokens:
            has = [known for known, token in named.items() if token in tokens]
            raise InputError(
                f"translator.checkpoint: {where}: has no token {named.get(language)!r} for the language {language!r}; "
                f"{allowed(language, has)}" + ("" if has else f": it is none of the family {spec.kind}")
            )
    tokenizer.src_lang = codes[source]
    return Direction("", tokens[named[target]], frozenset(tokens[token] for token in named.values() if token in tokens))


def marian_direction(vocabulary: Mapping[str, int], where: str, target: str) -> Direction:
    """A checkpoint of one target language wants nothing said, one of several has a token for each."""
    marks = {token: number for token, number in vocabulary.items() if token.startswith(">>") and token.endswith("<<")}
    if not marks:
        return Direction("", None, frozenset())
    token = marian_token(target, marks)
    if token is None:
        has = [mark.strip("<>") for mark in sorted(marks)]
        raise InputError(f"translator.checkpoint: {where}: does not translate into {target!r}; {allowed(target, has)}")
    return Direction(f"{token} ", None, frozenset(marks.values()))
