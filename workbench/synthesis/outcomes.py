"""What became of what was made: filtered, each kind of text by its rules, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from workbench.records import FilterSpec, Plain, Progress
from workbench.synthesis.filtering import Filtered, filtered
from workbench.synthesis.made import is_code_switched
from workbench.synthesis.versions import Versions


def filtered_by_kind(
    versions: Versions,
    makers: Mapping[str, str],
    source: str,
    spec: FilterSpec,
    folder: Path,
    device: str,
    progress: Progress,
) -> Filtered:
    """`filtered`, translations and code-switched texts each by their rules; `makers` are those of the languages."""
    switched = np.array([is_code_switched(makers[language]) for language in versions.languages], bool)
    kept, reasons = np.zeros(len(versions), bool), np.full(len(versions), None, object)
    counts: dict[str, dict[str, int]] = {}
    notes: list[str] = []
    for kind in np.unique(switched).tolist():
        rows = np.flatnonzero(switched == kind)
        part = filtered(
            versions.take(rows.tolist()), source, spec, folder, code_switched=kind, device=device, progress=progress
        )
        kept[rows], reasons[rows] = part.kept, part.reasons
        for rule, by_language in part.counts.items():
            counts.setdefault(rule, {}).update(by_language)
        notes += part.notes
    return Filtered(kept, reasons.tolist(), counts, tuple(notes))


def because(details: Mapping[str, Plain]) -> str:
    """Why: what rules rejected, or that no word was switched."""
    rules = sorted({rule for of in details.values() for rule in of.get("rejected", ())})
    return f": rejected by {', '.join(rules)}" if rules else ": no word was switched (code_switching.p, lexicons)"


def rejected(kept: Filtered) -> dict[str, Plain]:
    """By language the rules that rejected any, and how many."""
    found: dict[str, Plain] = {}
    for rule, by_language in kept.counts.items():
        for language, rows in by_language.items():
            if rows:
                found.setdefault(language, {"rejected": {}})["rejected"][rule] = rows
    return found


def with_details(details: Mapping[str, Plain], more: Mapping[str, Plain]) -> dict[str, Plain]:
    """By language the parts of both; a part that both have is one with the entries of both."""
    found = {language: dict(part) for language, part in details.items()}
    for language, parts in more.items():
        place = found.setdefault(language, {})
        for name, part in parts.items():
            place[name] = {**place.get(name, {}), **part}
    return found
