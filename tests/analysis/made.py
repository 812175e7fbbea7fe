"""Samples of made-up values, and a statistic in plain steps."""

import numpy as np

from workbench.analysis.samples import ArmValues, Cell, Group, Sample, group_of


def make_sample(units: int, cells: int, per_unit: int, arms: dict[str, np.ndarray], *, task: str = "made") -> Sample:
    """Every unit has `per_unit` queries in every cell; values are [units, per_unit, cells, seeds] by arm."""
    languages = [f"l{n:02d}" for n in range(cells)]
    unit, _, cell = (part.ravel() for part in np.indices((units, per_unit, cells)))
    return Sample(
        task=task,
        measure="map",
        cells=tuple(Cell("cross_lingual", language, "en") for language in languages),
        units=tuple(f"u{n:03d}" for n in range(units)),
        cell=cell.astype(np.int32),
        unit=unit.astype(np.int32),
        arms=tuple(
            ArmValues(name, tuple(range(values.shape[-1])), values.reshape(len(unit), -1))
            for name, values in arms.items()
        ),
    )


def setting_groups(sample: Sample) -> list[Group]:
    """One for each setting that the sample has, in the order of its cells."""
    settings = dict.fromkeys(cell.setting for cell in sample.cells)
    return [group_of(setting, sample, [cell.setting == setting for cell in sample.cells]) for setting in settings]


def worst_tenth(sample: Sample, values: np.ndarray, *, seed: int = 0) -> float:
    """The mean of the worst tenth of the cells, chosen on half of the units and measured on the other, and swapped."""
    half = np.random.default_rng(seed).permutation(len(sample.units)) < len(sample.units) // 2
    sums, counts = sample.sums(values), sample.counts
    found = []
    for chosen_on in (half, ~half):
        choice, measured = (sums[m].sum(axis=0) / counts[m].sum(axis=0) for m in (chosen_on, ~chosen_on))
        worst = np.argsort(choice, kind="stable")[: max(1, round(len(choice) / 10))]
        found.append(measured[worst].mean())
    return float(np.mean(found))
