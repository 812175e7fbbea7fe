"""Which synthetic pairs are kept: rules, and what each of them rejects."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import normalised
from workbench.records import MIXED_LANGUAGES, FilterSpec, Progress
from workbench.synthesis.agreement import characters, is_copy, is_name, length_outliers, numbers_agree
from workbench.synthesis.identification import Identifier
from workbench.synthesis.scripts import in_wrong_script, scripts_of
from workbench.synthesis.similarity import similarities, too_far
from workbench.synthesis.versions import Versions

Rule = Callable[[Versions], Iterable[bool]]
"""[rows] whether a row of these versions breaks it."""
TextRule = Callable[[str, str, str], bool]
"""Whether a text breaks it, given its source and its language."""


@dataclass(frozen=True)
class Filtered:
    """What the rules made of versions."""

    kept: NDArray[np.bool_]
    """[rows]"""
    reasons: Sequence[str | None]
    """[rows] the first rule that a row broke, in the order of `counts`; None = it is kept."""
    counts: Mapping[str, Mapping[str, int]]
    """Rule -> language -> rows that it rejected, of those that the rules before it had left; 0 stands there too."""
    notes: tuple[str, ...]
    """What a rule could not look at."""


def filtered(
    versions: Versions,
    source: str,
    spec: FilterSpec,
    folder: Path,
    *,
    code_switched: bool = False,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Filtered:
    """Which rows are kept, and why not the others; the order of the rows has no effect.

    `source` is the language that they were made from, `folder` where the path of a similarity checkpoint starts. What
    was filtered once passes again whole, but for a similarity's top share.

    Rules, in this order:

    - `empty`, always: a text holds nothing but white space.
    - `copies`: a text of several words is its source once both are normalised. Of code-switched pairs: all texts that
      were made are, so that nothing was switched at all.
    - `script`: `in_wrong_script`. `language`: `Identifier.is_another`, among the source and the languages of the
      versions, and not `is_name`. Where the spec leaves these two open they are for translations only, as few of a
      code-switched text's words may be of its language. They never look at texts in `mul`, several languages.
    - `numbers`: not `numbers_agree`.
    - `similarity`: the less similar of its two texts is below the threshold or not in the top share of its language.
    - `duplicates`: the pair has the normalised query and passage of another one of its language; the smallest pair_id
      is kept. The source stands in for a text that was not made.
    - `length_ratio`: `length_outliers` of its language, for queries and passages separately.

    A text that was not made is not looked at, nor compared with a source that is not known; a pair breaks a rule if
    either of its texts does.

    Raises
    ------
    InputError
        The checkpoint of the similarity is not there or is no encoder.
    """
    rules, notes = rules_of(versions, source, spec, folder, code_switched, device, progress)
    languages = sorted(set(versions.languages))
    reasons: list[str | None] = [None] * len(versions)
    counts: dict[str, dict[str, int]] = {}
    for name, rule in rules.items():
        left = [row for row, reason in enumerate(reasons) if reason is None]
        rejected = [row for row, broken in zip(left, rule(versions.take(left)), strict=True) if broken]
        for row in rejected:
            reasons[row] = name
        found = Counter(versions.languages[row] for row in rejected)
        counts[name] = {language: found[language] for language in languages}
    return Filtered(np.array([reason is None for reason in reasons], bool), reasons, counts, notes)


def rules_of(
    versions: Versions,
    source: str,
    spec: FilterSpec,
    folder: Path,
    code_switched: bool,
    device: str,
    progress: Progress | None,
) -> tuple[dict[str, Rule], tuple[str, ...]]:
    """The rules that are on, by name in their order, and what they cannot look at."""
    notes = []
    targets = set(versions.languages) - {MIXED_LANGUAGES}
    rules: dict[str, Rule] = {"empty": either(lambda text, its_source, language: not text.strip())}
    if spec.copies:
        rules["copies"] = all_copies if code_switched else either(lambda text, its, language: is_copy(text, its))
    if spec.script is not False and (spec.script or not code_switched):
        rules["script"] = either(in_wrong_script)
        notes += unseen("script", {language for language in targets if not scripts_of(language)}, "is not known here")
    if spec.language is not False and (spec.language or not code_switched):
        identifier = Identifier({source, *targets})
        rules["language"] = either(
            lambda text, its, language: identifier.is_another(text, language) and not is_name(text, its)
        )
        notes += unseen("language", {source, *targets} - identifier.languages, "cannot be identified by py3langid")
    if spec.numbers:
        rules["numbers"] = either(lambda text, its, language: bool(its) and not numbers_agree(text, its))
    if spec.similarity is not None:
        similarity = spec.similarity
        rules["similarity"] = lambda rows: too_far(
            similarities(rows, similarity, folder, device, progress), rows.languages, rows.pair_ids, similarity
        )
    if spec.duplicates:
        rules["duplicates"] = repeated
    if spec.length_ratio is not None:
        factor = spec.length_ratio
        rules["length_ratio"] = lambda rows: odd_lengths(rows, factor)
    return rules, tuple(notes)


def unseen(rule: str, languages: Iterable[str], why: str) -> list[str]:
    """A note on the languages that a rule cannot look at."""
    named = ", ".join(sorted(languages))
    return [f"{rule}: that of texts in {named} {why}"] if named else []


def made_texts(versions: Versions, row: int) -> list[tuple[str, str]]:
    """The texts of a row that were made, each with its source."""
    texts = (
        (versions.queries[row], versions.source_queries[row]),
        (versions.passages[row], versions.source_passages[row]),
    )
    return [(text, source) for text, source in texts if text is not None]


def either(breaks: TextRule) -> Rule:
    """Whether one of a row's texts breaks a rule."""
    return lambda versions: (
        any(breaks(text, source, versions.languages[row]) for text, source in made_texts(versions, row))
        for row in range(len(versions))
    )


def all_copies(versions: Versions) -> Iterable[bool]:
    """Whether all texts of a row that were made are their sources."""
    return (
        all(normalised(text) == normalised(source) for text, source in made_texts(versions, row))
        for row in range(len(versions))
    )


def repeated(versions: Versions) -> NDArray[np.bool_]:
    """[rows] whether a row repeats the query and passage of one that comes before it by pair_id."""
    repeats = np.zeros(len(versions), bool)
    seen = set()
    for row in sorted(range(len(versions)), key=lambda row: versions.pair_ids[row]):
        query, passage = versions.queries[row], versions.passages[row]
        pair = (
            versions.languages[row],
            normalised(versions.source_queries[row] if query is None else query),
            normalised(versions.source_passages[row] if passage is None else passage),
        )
        repeats[row] = pair in seen
        seen.add(pair)
    return repeats


def odd_lengths(versions: Versions, factor: float) -> NDArray[np.bool_]:
    """[rows] whether a query or passage is too long or too short for its source, by language."""
    odd = np.zeros(len(versions), bool)
    lengths = np.stack([characters(versions.queries), characters(versions.passages)])
    sources = np.stack(
        [
            characters([text or None for text in versions.source_queries]),
            characters([text or None for text in versions.source_passages]),
        ]
    )
    languages = np.array(versions.languages)
    for language in set(versions.languages):
        rows = np.flatnonzero(languages == language)
        odd[rows] = length_outliers(lengths[:, rows], sources[:, rows], factor)
    return odd
