"""A report as one HTML page that needs nothing but itself: no scripts, no resources from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.reports.export.content import Report
from workbench.reports.export.figures import measure_name
from workbench.reports.export.plots import UNSEEN, common_scale, curve_plot, distance_plot, heat_map
from workbench.reports.export.results import Matrix, TaskResults
from workbench.reports.export.sheets import bias_sheets, difference_sheet, published_sheet
from workbench.reports.export.written import footnotes, heads, line_head, map_statistics, statistics
from workbench.reports.leakage import marked
from workbench.reports.tables import deviation_beside, figure
from workbench.reports.translated import TRANSLATED

NARROW = 14
"""Pools up to which two heat maps stand side by side."""


def as_html(report: Report) -> str:
    """The page; all data escaped by the template engine, only our own pictures go in as they are."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["figure"] = figure
    arms = [facts.arm for facts in report.arms]
    return environment.get_template("page.html").render(
        report=report,
        heads=heads(report),
        tasks=[task_parts(report, results, f"t{number}") for number, results in enumerate(report.tasks)],
        curves=Markup(curve_plot(report.curves, arms, key="curves")) if report.curves else "",
        all_looked_at=all(facts.leaked is not None for facts in report.arms),
        has_checkpoint=any(facts.model != "builtin" for facts in report.arms),
        marked=marked,
        deviation=deviation_beside,
        line_head=line_head,
        measure_name=measure_name,
        unseen_mark=UNSEEN,
        translated_mark=TRANSLATED,
    )


def task_parts(report: Report, results: TaskResults, key: str) -> dict[str, Any]:
    """A task's results with its pictures."""
    from markupsafe import Markup

    distances = results.distances
    return {
        "results": results,
        "narrow": len(results.pools) <= NARROW,
        "maps": [
            [(title, Markup(svg)) for title, svg in maps_of(results, matrices, f"{key}-{kind}")]
            for kind, matrices in (("arm", results.matrices), ("difference", results.differences))
        ],
        "distances": Markup(
            distance_plot(distances, results.arms, results.unseen_anywhere, key=f"{key}-distance") if distances else ""
        ),
        "differences": difference_sheet(results, heads(report)),
        "bias": bias_sheets(results),
        "published": published_sheet(results),
        "footnotes": footnotes(report, results),
        "statistics": " ".join(filter(None, [statistics(results), map_statistics(results)])),
    }


def maps_of(results: TaskResults, matrices: Sequence[Matrix], key: str) -> list[tuple[str, str]]:
    """(title, picture) of each, in one scale of colours."""
    found = []
    for place, matrix in enumerate(matrices):
        title = matrix.arm if matrix.against is None else f"{matrix.arm} minus {matrix.against}"
        svg = heat_map(
            matrix,
            results.languages,
            results.pools,
            key=f"{key}{place}",
            title=f"{measure_name(results.measure)} of {title}, query language by pool language",
            scale=common_scale(matrices),
            translated=results.translated,
        )
        found.append((title, svg))
    return found
