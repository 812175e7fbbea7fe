"""What is in parallel data that was made: languages, lengths, and how the texts agree with their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.records import MIXED_LANGUAGES
from workbench.synthesis.agreement import characters, is_copy, numbers, numbers_agree
from workbench.synthesis.filtering import either, made_texts, repeated
from workbench.synthesis.identification import Identifier
from workbench.synthesis.scripts import in_wrong_script, scripts_of
from workbench.synthesis.versions import Versions

IDENTIFIED = 20_000
"""Pairs of a maker and language whose language is identified, at most, evenly spaced: some 5,000 a second."""


def described(parts: Mapping[str, Versions], source: str) -> list[dict[str, Any]]:
    """One record for each maker and language, in the order of `parts` and then by language.

    `parts` are the texts by what made them; texts that people wrote are described alike, as `human`, say. `source` is
    the language that they were made from. A row whose source is not known has empty texts there. A record has

    - language, maker, pairs; queries, passages: distinct texts that were made;
    - query_mean, query_median, passage_mean, passage_median: characters;
    - query_ratio, passage_ratio: median length relative to the source;
    - identified: language -> share of the pairs, query and passage together, by the likeliest of all languages at
      hand; own_language: that of their own;
    - numbers_agree: share of the pairs whose numbers are those of the source, of the pairs with any;
    - copies, wrong_script, duplicates: pairs, by the filter's rules for translations.

    None: there is nothing to measure it on. Texts in the source's language are not compared with themselves.
    """
    at_hand = {source, *(language for versions in parts.values() for language in versions.languages)}
    identifier = Identifier(at_hand - {MIXED_LANGUAGES})
    return [
        {"language": language, "maker": maker, **described_rows(versions, language, source, identifier)}
        for maker, language, versions in by_language(parts)
    ]


def by_language(parts: Mapping[str, Versions]) -> list[tuple[str, str, Versions]]:
    """Maker, language and their rows."""
    found = []
    for maker, versions in parts.items():
        rows: dict[str, list[int]] = {}
        for row, language in enumerate(versions.languages):
            rows.setdefault(language, []).append(row)
        found += [(maker, language, versions.take(rows[language])) for language in sorted(rows)]
    return found


def described_rows(versions: Versions, language: str, source: str, identifier: Identifier) -> dict[str, Any]:
    """The record of rows in one language, without its name."""
    sourced = [row for row in range(len(versions)) if versions.source_queries[row] or versions.source_passages[row]]
    compared = versions.take([] if language == source else sourced)
    numbered = compared.take([row for row in range(len(compared)) if has_number(compared, row)])
    disagree = sum(either(lambda text, its, _: not numbers_agree(text, its))(numbered))
    identified = shares(versions, identifier)
    return {
        "pairs": len(versions),
        "queries": len(set(versions.queries) - {None}),
        "passages": len(set(versions.passages) - {None}),
        **lengths("query", versions.queries),
        **lengths("passage", versions.passages),
        "query_ratio": ratio(compared.queries, compared.source_queries),
        "passage_ratio": ratio(compared.passages, compared.source_passages),
        "identified": identified,
        "own_language": identified.get(language, 0.0) if identified and language in identifier.languages else None,
        "numbers_agree": 1 - disagree / len(numbered) if len(numbered) else None,
        "copies": sum(either(lambda text, its, _: is_copy(text, its))(compared)) if len(compared) else None,
        "wrong_script": sum(either(in_wrong_script)(versions)) if scripts_of(language) else None,
        "duplicates": int(repeated(versions).sum()),
    }


def has_number(versions: Versions, row: int) -> bool:
    """Whether a text that was made, or its source, has a number."""
    return any(numbers(text) or numbers(source) for text, source in made_texts(versions, row))


def lengths(side: str, texts: Sequence[str | None]) -> dict[str, float | None]:
    """Mean and median length in characters."""
    found = characters(texts)
    found = found[~np.isnan(found)]
    mean, median = (float(found.mean()), float(np.median(found))) if len(found) else (None, None)
    return {f"{side}_mean": mean, f"{side}_median": median}


def ratio(texts: Sequence[str | None], sources: Sequence[str]) -> float | None:
    """Median length relative to the source, of the texts that have one."""
    relative = characters(texts) / characters([source or None for source in sources])
    relative = relative[~np.isnan(relative)]
    return float(np.median(relative)) if len(relative) else None


def shares(versions: Versions, identifier: Identifier) -> dict[str, float]:
    """Language -> share of the pairs that are likeliest in it, largest first; those without letters are left out."""
    step = -(-len(versions) // IDENTIFIED) or 1
    texts = ("\n".join(text for text, _ in made_texts(versions, row)) for row in range(0, len(versions), step))
    found = Counter(filter(None, map(identifier.likeliest, texts)))
    return {language: count / found.total() for language, count in found.most_common()}
