"""A report's tables in Markdown and LaTeX, in the published layout: a column an arm, the best in bold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from workbench.reports.export.content import Report
from workbench.reports.export.figures import CHECKPOINTS, SAMPLINGS, Entry, Table
from workbench.reports.export.plots import UNSEEN
from workbench.reports.export.results import TaskResults
from workbench.reports.leakage import FOOTNOTE, marked
from workbench.reports.tables import figure

LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "°": r"$^{\circ}$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "±": r"$\pm$",
}
RULES = r"""% \input this file; with \usepackage{booktabs} the rules are finer
\providecommand{\toprule}{\hline}
\providecommand{\midrule}{\hline}
\providecommand{\bottomrule}{\hline}
"""


def statistics(results: TaskResults) -> list[str]:
    """What the marks of a task's tables and pictures mean."""
    said = [
        f"± is the standard deviation over an arm's seeds, bold the best arm; {SAMPLINGS} marks a difference from the "
        "first arm that is significant at .05 (two-sided t test with the variance over seeds and over paragraphs, "
        f"Holm's correction over the table), {CHECKPOINTS} the same where an arm has one seed: it speaks of these "
        "checkpoints on such questions, not of the samplings."
    ]
    if results.differences:
        family = "all cells and pairs of arms" if len(results.arms) > 2 else "all cells"
        said.append(
            f"In the maps of differences {SAMPLINGS} and bold mark what chance does not explain at a family-wise level "
            f"of .05 over {family} (paired randomisation test by paragraph of the seed-averaged values, step-down "
            f"maximum statistic, {results.draws:,} draws); it speaks of these checkpoints."
        )
    return said


def tables_of(results: TaskResults) -> list[Table]:
    return [results.headlines, results.by_language, *([results.distances] if results.distances else [])]


def heads(report: Report) -> list[str]:
    return [marked(facts.arm, facts.leaked) for facts in report.arms]


def line_head(head: str, unseen: frozenset[str]) -> str:
    return f"{head}{UNSEEN}" if head in unseen else head


def footnotes(report: Report, results: TaskResults) -> list[str]:
    notes = []
    if results.unseen_anywhere:
        notes.append(f"{UNSEEN} no training pair in this language (in one arm or more)")
    if any(facts.leaked for facts in report.arms):
        notes.append(FOOTNOTE)
    if results.leave_out:
        notes.append(f"means over settings leave out cells of: {' '.join(results.leave_out)}")
    return notes


# ------------------------------------------------------------------------------------------------- Markdown


def as_markdown(report: Report) -> str:
    """All tables."""
    parts = [f"# {md(report.title)}"]
    for results in report.tasks:
        parts.append(f"## {md(results.task)}")
        for table in tables_of(results):
            parts += [f"### {md(table.title)}", markdown_table(table, heads(report), results.unseen_anywhere)]
        parts += [*map(md, footnotes(report, results)), *map(md, statistics(results))]
    parts += ["## Again", "\n".join(f"    {command}" for command in report.commands)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table, arms: Sequence[str], unseen: frozenset[str]) -> str:
    rows = [["", "", *map(md, arms)], ["---", "---", *["---:"] * len(arms)]]
    for group, lines in table.groups:
        for place, line in enumerate(lines):
            entries = [entry_text(e, lambda t: f"**{t}**", " ±", md) for e in line.entries]
            rows.append([md(group) if place == 0 else "", md(line_head(line.head, unseen)), *entries])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def md(text: str) -> str:
    """Data as Markdown shows it, none of it as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))


def deviation(entry: Entry) -> str:
    """With as many decimals as the mean has; empty where there is none."""
    if math.isnan(entry.deviation):
        return ""
    decimals = 1 if abs(entry.mean) >= 10 else 4
    text = f"{entry.deviation:.{decimals}f}"
    return text.removeprefix("0") if decimals == 4 else text


def entry_text(entry: Entry, bold: Callable[[str], str], plus_minus: str, mark: Callable[[str], str]) -> str:
    if math.isnan(entry.mean):
        return ""
    mean = bold(figure(entry.mean)) if entry.best else figure(entry.mean)
    spread = f"{plus_minus}{deviation(entry)}" if deviation(entry) else ""
    return f"{mean}{spread}{mark(entry.mark) if entry.mark else ''}"


# ------------------------------------------------------------------------------------------------- LaTeX


def as_latex(report: Report) -> str:
    """All tables, each a `table` that stands by itself."""
    found = [
        latex_table(results.task, table, heads(report), results.unseen_anywhere, footnotes(report, results), said)
        for results in report.tasks
        for said in [statistics(results)[0]]
        for table in tables_of(results)
    ]
    return "\n".join([RULES, *found])


def latex_table(
    task: str, table: Table, arms: Sequence[str], unseen: frozenset[str], notes: Sequence[str], said: str
) -> str:
    lines = [
        r"\begin{table}",
        r"\centering\small",
        rf"\begin{{tabular}}{{ll{'r' * len(arms)}}}",
        r"\toprule",
        rf" & & {' & '.join(map(tex, arms))} \\",
    ]
    for group, of_group in table.groups:
        lines.append(r"\midrule")
        for place, line in enumerate(of_group):
            entries = [
                entry_text(e, lambda t: rf"\textbf{{{t}}}", r" $\pm$", lambda m: f"$^{{{m}}}$") for e in line.entries
            ]
            row = [tex(group) if place == 0 else "", tex(line_head(line.head, unseen)), *entries]
            lines.append(rf"{' & '.join(row)} \\")
    caption = f"{task}: {table.title}. {said} {'; '.join(notes)}".strip()
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\caption{{{tex(caption)}}}", r"\end{table}", ""])


def tex(text: str) -> str:
    """Data as LaTeX prints it, none of it as a command."""
    return "".join(LATEX.get(character, character) for character in " ".join(text.split()))
