"""The heat maps of a report: on its page, and each as a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from workbench.reports.export.content import Report
from workbench.reports.export.figures import measure_name
from workbench.reports.export.plots import common_scale, heat_map
from workbench.reports.export.results import Matrix, TaskResults


@dataclass(frozen=True)
class HeatMap:
    """The figures of an arm, or the differences of two, by query language (rows) and pool language (columns)."""

    title: str
    file: str
    """In the report's folder."""
    svg: str


def maps_of(report: Report) -> list[list[list[HeatMap]]]:
    """For each task those of the arms, and those of the differences."""
    return [
        [
            drawn(results, matrices, f"t{number}-{kind}")
            for kind, matrices in (("arm", results.matrices), ("difference", results.differences))
        ]
        for number, results in enumerate(report.tasks)
    ]


def drawn(results: TaskResults, matrices: Sequence[Matrix], key: str) -> list[HeatMap]:
    """Each, in one scale of colours."""
    found = []
    for place, matrix in enumerate(matrices):
        arms = [matrix.arm] if matrix.against is None else [matrix.arm, matrix.against]
        title = " minus ".join(arms)
        svg = heat_map(
            matrix,
            results.languages,
            results.pools,
            key=f"{key}{place}",
            title=f"{measure_name(results.measure)} of {title}, query language by pool language",
            scale=common_scale(matrices),
            translated=results.translated,
        )
        name = "-minus-".join(quote(part, safe="") for part in arms)
        found.append(HeatMap(title, f"maps/{quote(results.task, safe='')}-{name}.svg", svg))
    return found
