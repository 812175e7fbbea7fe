"""A report as one HTML page that needs nothing but itself: no scripts, no resources from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.reports.export.content import Report
from workbench.reports.export.figures import measure_name
from workbench.reports.export.maps import HeatMap
from workbench.reports.export.plots import UNSEEN, curve_plot, distance_plot
from workbench.reports.export.results import TaskResults
from workbench.reports.export.sheets import bias_sheets, difference_sheet, published_sheet
from workbench.reports.export.written import footnotes, heads, line_head, map_statistics, statistics
from workbench.reports.leakage import marked
from workbench.reports.tables import beside, figure
from workbench.reports.translated import TRANSLATED

NARROW = 14
"""Pools up to which two heat maps stand side by side."""


def as_html(report: Report, maps: Sequence[Sequence[Sequence[HeatMap]]]) -> str:
    """The page; `maps` as `maps_of` has them. All data are escaped by the template engine, but for our own pictures."""
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
        tasks=[
            task_parts(report, results, of_task, f"t{number}")
            for number, (results, of_task) in enumerate(zip(report.tasks, maps, strict=True))
        ],
        curves=Markup(curve_plot(report.curves, arms, key="curves")) if report.curves else "",
        all_looked_at=all(facts.leaked is not None for facts in report.arms),
        has_checkpoint=any(facts.model != "builtin" for facts in report.arms),
        marked=marked,
        deviation=beside,
        line_head=line_head,
        measure_name=measure_name,
        unseen_mark=UNSEEN,
        translated_mark=TRANSLATED,
    )


def task_parts(report: Report, results: TaskResults, maps: Sequence[Sequence[HeatMap]], key: str) -> dict[str, Any]:
    """A task's results with its pictures."""
    from markupsafe import Markup

    distances = results.distances
    return {
        "results": results,
        "narrow": len(results.pools) <= NARROW,
        "maps": [[(one.title, Markup(one.svg)) for one in row] for row in maps],
        "distances": Markup(
            distance_plot(distances, results.arms, results.unseen_anywhere, key=f"{key}-distance") if distances else ""
        ),
        "differences": difference_sheet(results, heads(report)),
        "bias": bias_sheets(results),
        "published": published_sheet(results),
        "footnotes": footnotes(report, results),
        "statistics": " ".join(filter(None, [statistics(results), map_statistics(results)])),
    }
