"""Tables of figures, a column an arm, with the differences from the first arm tested and corrected together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.analysis.comparing import SIGNIFICANT
from workbench.analysis.effects import Effect, effect, group_mean
from workbench.analysis.randomisation import holm
from workbench.analysis.samples import Group, Sample, group_of
from workbench.reports.comparisons import settings_of
from workbench.reports.overview import HEADLINES
from workbench.reports.tables import figure
from workbench.reports.translated import Cell

SAMPLINGS, CHECKPOINTS = "*", "+"
"""Marks of a significant difference: of the samplings, and, where an arm has one seed, of the checkpoints only."""
LOWER_IS_BETTER = ("rank_distance",)


@dataclass(frozen=True)
class Entry:
    """A figure of one arm."""

    mean: float
    """Over seeds."""
    deviation: float
    """Over seeds; NaN with one."""
    best: bool = False
    """Whether it is the best of its line, as printed."""
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a table: a figure of each arm."""

    group: str
    """Lines of one group stand together, under its name."""
    head: str
    entries: tuple[Entry, ...]
    """[arms]"""
    effects: tuple[tuple[Effect, float], ...]
    """[arms but the first] the difference from the first one, and its p after Holm's correction over the table."""
    translated: bool
    """Whether it is over cells with questions that a machine translated, too."""


@dataclass(frozen=True)
class Table:
    """Lines of figures, a column an arm; differences from the first arm are tested and corrected together."""

    title: str
    lines: tuple[Line, ...]

    @property
    def groups(self) -> list[tuple[str, list[Line]]]:
        names = dict.fromkeys(line.group for line in self.lines)
        return [(name, [line for line in self.lines if line.group == name]) for name in names]


Wanted = list[tuple[str, str, Sample, Group]]
"""(group of lines, line's head, values, cells)"""


def headline_table(samples: Mapping[str, Sample], dropped: set[str], translated: frozenset[Cell]) -> Table:
    wanted: Wanted = []
    for setting, measure in HEADLINES:
        if measure in samples:
            groups = {group.name: group for group in settings_of(samples[measure], dropped)}
            if setting in groups:
                wanted.append((setting_name(setting), measure_name(measure), samples[measure], groups[setting]))
    order = list(dict.fromkeys(group for group, *_ in wanted))
    wanted.sort(key=lambda line: order.index(line[0]))
    return tested_table("Settings", wanted, translated)


def language_table(sample: Sample, translated: frozenset[Cell]) -> Table:
    """By query language the mean over the cells of a setting."""
    wanted: Wanted = []
    for setting in dict.fromkeys(cell.setting for cell in sample.cells):
        for language in query_languages(sample):
            chosen = [(cell.setting, cell.query_language) == (setting, language) for cell in sample.cells]
            if any(chosen):
                group = group_of(f"{setting} {language}", sample, chosen)
                wanted.append((setting_name(setting), language, sample, group))
    return tested_table(f"{measure_name(sample.measure)} by query language", wanted, translated)


def distance_table(sample: Sample, translated: frozenset[Cell]) -> Table | None:
    wanted: Wanted = []
    for language in query_languages(sample):
        chosen = [(cell.setting, cell.query_language) == ("multilingual", language) for cell in sample.cells]
        if any(chosen):
            wanted.append(("multilingual", language, sample, group_of(language, sample, chosen)))
    return tested_table("Rank distance by query language", wanted, translated) if wanted else None


def tested_table(title: str, wanted: Wanted, translated: frozenset[Cell]) -> Table:
    lines = [line_of(*one, translated) for one in wanted]
    p = np.array([found.p for line in lines for found, _ in line.effects])
    corrected = np.full(len(p), np.nan)
    corrected[np.isfinite(p)] = holm(p[np.isfinite(p)])
    places = iter(corrected.tolist())
    return Table(title, tuple(marked_line(line, [next(places) for _ in line.effects]) for line in lines))


def line_of(group: str, head: str, sample: Sample, cells: Group, translated: frozenset[Cell]) -> Line:
    by_seed = [np.array([group_mean(sample, v, cells) for v in arm.values.T]) for arm in sample.arms]
    means = [float(values.mean()) for values in by_seed]
    deviations = [float(values.std(ddof=1)) if len(values) > 1 else math.nan for values in by_seed]
    best = (min if sample.measure in LOWER_IS_BETTER else max)(means)
    entries = tuple(
        Entry(mean, deviation, best=len(means) > 1 and figure(mean) == figure(best))
        for mean, deviation in zip(means, deviations, strict=True)
    )
    base = sample.arms[0].arm
    effects = tuple((effect(sample, arm.arm, base, cells), math.nan) for arm in sample.arms[1:])
    counted = zip(sample.cells, cells.weights > 0, strict=True)
    is_translated = any((cell.query_language, cell.pool_language) in translated for cell, counts in counted if counts)
    return Line(group, head, entries, effects, is_translated)


def marked_line(line: Line, corrected: Sequence[float]) -> Line:
    effects = tuple((found, p) for (found, _), p in zip(line.effects, corrected, strict=True))
    marks = [mark_of(found, p) for found, p in effects]
    entries = [replace(entry, mark=mark) for entry, mark in zip(line.entries[1:], marks, strict=True)]
    return replace(line, entries=(line.entries[0], *entries), effects=effects)


def mark_of(found: Effect, p: float) -> str:
    if not p < SIGNIFICANT:  # NaN where there was nothing to test with
        return ""
    return SAMPLINGS if found.seeds > 1 else CHECKPOINTS


def setting_name(setting: str) -> str:
    return setting.replace("cross_lingual", "cross-lingual")


def measure_name(measure: str) -> str:
    known = {"map": "mAP", "mrr": "MRR", "rank_distance": "rank distance"}
    return known.get(measure) or measure.replace("recall", "R").replace("ndcg", "nDCG").replace("map", "mAP")


def query_languages(sample: Sample) -> tuple[str, ...]:
    return tuple(sorted({cell.query_language for cell in sample.cells}))
