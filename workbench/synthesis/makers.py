"""What makes synthetic texts: a translator, or lexicons for code-switching; each with its identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.data.catalog import demo_fingerprint, fingerprint
from workbench.data.fingerprints import located
from workbench.errors import InputError
from workbench.records import DEMO_LEXICONS, Plain, Progress, SyntheticSpec, to_plain
from workbench.synthesis.code_switching import SwitchCount, code_switched
from workbench.synthesis.lexicons import load_lexicons
from workbench.synthesis.made import CODE_SWITCHING
from workbench.synthesis.translators.cache import translate_cached
from workbench.synthesis.translators.interface import Translator, identity_of
from workbench.synthesis.translators.loading import load_translator
from workbench.synthesis.versions import Versions, joined


@dataclass(frozen=True)
class Maker:
    """What makes texts, with its identity: all that changes what it makes."""

    name: str
    identity: Callable[[Sequence[str]], Plain]
    """By target languages."""
    make: Callable[[Versions, Sequence[str], Progress], tuple[Versions, Mapping[str, Plain]]]
    """Pairs in the source language and target languages -> their versions, and details by language."""


def load_maker(spec: SyntheticSpec, folder: Path, device: str) -> Maker | None:
    """The translator or the lexicons; None where the sets' files hold what was made."""
    if spec.translator is not None:
        return translating(load_translator(spec.translator, folder, device), spec)
    if spec.code_switching is not None:
        return code_switching(spec, folder)
    return None


def translating(translator: Translator, spec: SyntheticSpec) -> Maker:
    def make(pairs: Versions, languages: Sequence[str], progress: Progress) -> tuple[Versions, dict[str, Plain]]:
        rows = len(pairs)
        texts = [*pairs.queries, *pairs.passages]
        parts = []
        for language in languages:
            found = translate_cached(translator, [text or "" for text in texts], spec.source, language, progress)
            # what comes back empty is no translation
            there = [row for row in range(rows) if found[row].strip() and found[rows + row].strip()]
            part = Versions(
                pairs.pair_ids,
                [language] * rows,
                found[:rows],
                found[rows:],
                pairs.source_queries,
                pairs.source_passages,
            )
            parts.append(part.take(there))
        lost = {
            language: {"rejected": {"empty": rows - len(part)}}
            for language, part in zip(languages, parts, strict=True)
            if len(part) < rows
        }
        return joined(parts), lost

    def identity(languages: Sequence[str]) -> Plain:
        translator.check(spec.source, languages)
        return {language: dict(identity_of(translator, spec.source, language)) for language in languages}

    return Maker(translator.name, identity, make)


def code_switching(spec: SyntheticSpec, folder: Path) -> Maker:
    of = spec.code_switching
    assert of is not None
    if of.lexicons == DEMO_LEXICONS:
        place, prints = of.lexicons, demo_fingerprint()
    else:
        place = str(located(of.lexicons, folder))
        try:
            prints = fingerprint(Path(place))
        except InputError as error:
            raise InputError(f"lexicons: {error}") from error

    def make(pairs: Versions, languages: Sequence[str], progress: Progress) -> tuple[Versions, dict[str, Plain]]:
        lexicons = load_lexicons(place, spec.source, languages, folder)
        progress("code-switching", 0, len(pairs))
        texts = (pairs.pair_ids, pairs.source_queries, pairs.source_passages)
        versions, counts = code_switched(*texts, lexicons, of, spec.source, spec.seed)
        progress("code-switching", len(pairs), len(pairs))
        return versions, {count.language: switch_details(count) for count in counts}

    name = f"{'multilingual ' * (of.mode == 'multilingual')}{CODE_SWITCHING}, p {of.p:g}"
    return Maker(name, lambda _: {**to_plain(of), "lexicons": prints, "seed": spec.seed}, make)


def switch_details(count: SwitchCount) -> Plain:
    numbers = {name: value for name, value in asdict(count).items() if name != "language"}
    return {"switched": {**numbers, "switch_rate": count.switch_rate, "coverage": count.coverage}}
