"""`workbench report`: a folder with everything that a paper wants to attach.

`write_report(store, arms, out)` writes

    <out>/report.html           the page
    <out>/report.md             its tables
    <out>/tables.tex            its tables, to \\input
    <out>/maps/*.svg            its heat maps: of each arm, and of the differences from the first
    <out>/configs/<arm>.yaml    a config for each arm, its seeds as a sweep

The first arm is the one that the others are held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.reports.export.content import Report, report_of
from workbench.reports.export.folders import check_free, write_export
from workbench.reports.export.maps import maps_of
from workbench.reports.export.page import as_html
from workbench.reports.export.written import as_latex, as_markdown


def write_report(
    store: Path,
    arms: Sequence[str],
    out: Path,
    *,
    task: str | None = None,
    measure: str = "map",
    force: bool = False,
) -> list[Path]:
    """Write the report of some arms, all files or none; the files, sorted.

    Raises
    ------
    InputError
        As `report_of` does; `out` is a file, or a folder with something in it and `force` is not given.
    WorkError
        The store is busy or `out` cannot be written.
    """
    check_free(out, force=force)
    report = report_of(store, arms, task=task, measure=measure, out=str(out))
    files = files_of_report(report)

    def write(folder: Path) -> None:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    return write_export(out, write, force=force)


def files_of_report(report: Report) -> dict[str, str]:
    """By name in the folder the content of each file."""
    maps = maps_of(report)
    return {
        "report.html": as_html(report, maps),
        "report.md": as_markdown(report),
        "tables.tex": as_latex(report),
        **{one.file: one.svg for of_task in maps for row in of_task for one in row},
        **{facts.config_file: facts.config for facts in report.arms},
    }
