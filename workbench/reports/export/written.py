"""A report's tables in Markdown and LaTeX, in the published layout: a column an arm, the best in bold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import count

from workbench.reports.export.content import Report
from workbench.reports.export.figures import CHECKPOINTS, SAMPLINGS, Entry, Line, Table
from workbench.reports.export.plots import UNSEEN
from workbench.reports.export.results import TaskResults
from workbench.reports.export.sheets import Sheet, sheets_of
from workbench.reports.leakage import FOOTNOTE, marked
from workbench.reports.tables import beside, figure
from workbench.reports.translated import TRANSLATED, TRANSLATED_FOOTNOTE

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
    "[": "{[}",  # at the beginning of a line it would be an argument of the line break before
    "]": "{]}",
    "*": "{*}",
    "−": "$-$",
    "°": r"$^{\circ}$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
}
BREAK = r" \\ "
"""Between the lines of a column's head."""
RULES = r"""% \input this file; with \usepackage{booktabs} the rules are finer
\providecommand{\toprule}{\hline}
\providecommand{\midrule}{\hline}
\providecommand{\bottomrule}{\hline}
"""


def basis(report: Report, results: TaskResults) -> str:
    """What the figures of a task are of: questions, paragraphs, languages, seeds."""
    number = [len(results.runs[arm]) for arm in results.arms]
    seeds = f"{number[0]} seed{'s' if number[0] > 1 else ''}"
    if len(set(number)) > 1:
        named = zip(heads(report), number, strict=True)
        seeds = f"seeds: {', '.join(f'{head} {count}' for head, count in named)}"
    elif len(number) > 1:
        seeds += " of each arm"
    return (
        f"{results.queries:,} questions on {results.units:,} paragraphs in {len(results.languages)} languages; {seeds}."
    )


def statistics(results: TaskResults) -> str:
    """What the signs in a task's tables mean, those that are there."""
    entries = [entry for table in tables_of(results) for line in table.lines for entry in line.entries]
    said = ["± is the standard deviation over an arm's seeds"] if any(e.deviation >= 0 for e in entries) else []
    if len(results.arms) == 1:
        return "".join(f"{text}." for text in said)
    marks = {entry.mark for entry in entries}
    seeds = [found.seeds for table in tables_of(results) for line in table.lines for found, _ in line.effects]
    over = "over seeds and over paragraphs" if max(seeds) > 1 else "over paragraphs"
    test = f"significant at .05 (two-sided t test with the variance {over}, Holm's correction over the table)"
    only = "it speaks of these checkpoints on such questions, not of the samplings"
    said.append("bold the best arm")
    if SAMPLINGS in marks:
        said.append(f"{SAMPLINGS} marks a difference from the first arm that is {test}")
    if CHECKPOINTS in marks:
        same = "the same" if SAMPLINGS in marks else f"marks a difference from the first arm that is {test},"
        said.append(f"{CHECKPOINTS} {same} where an arm has one seed: {only}")
    if not marks & {SAMPLINGS, CHECKPOINTS}:
        said.append(f"no difference from the first arm is {test}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def map_statistics(results: TaskResults) -> str:
    """What the marks in maps of differences mean; empty without such maps."""
    if not results.differences:
        return ""
    family = "all cells and pairs of arms" if len(results.arms) > 2 else "all cells"
    what = f"{SAMPLINGS} and bold mark what chance does not explain"
    if not any(matrix.significant.any() for matrix in results.differences):
        what = "nothing is marked, as chance could explain each cell"
    return (
        f"In the maps of differences {what} at a family-wise level of .05 over {family} (paired randomisation test by "
        f"paragraph of the seed-averaged values, step-down maximum statistic, {results.draws:,} draws); it speaks of "
        "these checkpoints."
    )


def tables_of(results: TaskResults) -> list[Table]:
    return [results.headlines, results.by_language, *([results.distances] if results.distances else [])]


def heads(report: Report) -> list[str]:
    return [marked(facts.arm, facts.leaked) for facts in report.arms]


def line_head(line: Line, unseen: frozenset[str]) -> str:
    return f"{line.head}{UNSEEN if line.head in unseen else ''}{TRANSLATED if line.translated else ''}"


def footnotes(report: Report, results: TaskResults) -> list[str]:
    notes = []
    if results.unseen_anywhere:
        notes.append(f"{UNSEEN} no training pair in this language (in one arm or more)")
    if results.translated:
        notes.append(TRANSLATED_FOOTNOTE)
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
        parts += [f"## {md(results.task)}", md(basis(report, results))]
        for table in tables_of(results):
            parts += [f"### {md(table.title)}", markdown_table(table, heads(report), results.unseen_anywhere)]
        for sheet in sheets_of(results, heads(report)):
            parts += [f"### {md(sheet.title)}", markdown_sheet(sheet), *map(md, sheet.notes)]
        parts += [*map(md, footnotes(report, results)), *filter(None, [md(statistics(results))])]
    parts += [f"Not compared: {md(problem)}" for problem in report.problems]
    parts += ["## Again", "\n".join(f"    {command}" for command in report.commands)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table, arms: Sequence[str], unseen: frozenset[str]) -> str:
    rows = [["", "", *map(md, arms)], markdown_rule("ll" + "r" * len(arms))]
    for group, lines in table.groups:
        for place, line in enumerate(lines):
            entries = [entry_text(e, lambda t: f"**{t}**", " ±", md) for e in line.entries]
            rows.append([md(group) if place == 0 else "", md(line_head(line, unseen)), *entries])
    return markdown_lines(rows)


def markdown_sheet(sheet: Sheet) -> str:
    rows = [list(map(md, row)) for block in sheet.blocks for row in block]
    return markdown_lines([list(map(md, sheet.head)), markdown_rule(sheet.columns), *rows])


def markdown_rule(columns: str) -> list[str]:
    return ["---:" if side == "r" else "---" for side in columns]


def markdown_lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def md(text: str) -> str:
    """Data as Markdown shows it, none of it as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))


def entry_text(entry: Entry, bold: Callable[[str], str], plus_minus: str, mark: Callable[[str], str]) -> str:
    if math.isnan(entry.mean):
        return ""
    mean = bold(figure(entry.mean)) if entry.best else figure(entry.mean)
    deviation = beside(entry.mean, entry.deviation)
    spread = f"{plus_minus}{deviation}" if deviation else ""
    return f"{mean}{spread}{mark(entry.mark) if entry.mark else ''}"


# ------------------------------------------------------------------------------------------------- LaTeX


def as_latex(report: Report) -> str:
    """All tables, each a `table` with a label; a task's first one explains the signs of all."""
    found = []
    for place, results in enumerate(report.tasks, start=1):
        labels = (f"tab:{slug(results.task)}-{place}-{number}" for number in count(1))
        first = ""
        for table in tables_of(results):
            label = next(labels)
            caption = f"As Table~\\ref{{{first}}}."
            if not first:
                explained = [
                    basis(report, results),
                    statistics(results),
                    *(f"{n}." for n in footnotes(report, results)),
                ]
                first, caption = label, tex(" ".join(filter(None, explained)))
            found.append(latex_table(results.task, table, heads(report), results.unseen_anywhere, caption, label))
        found += [latex_sheet(results.task, sheet, next(labels)) for sheet in sheets_of(results, heads(report))]
    return "\n".join([RULES, *found])


def slug(text: str) -> str:
    """Letters, digits and hyphens alone, as in a label."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def latex_table(task: str, table: Table, arms: Sequence[str], unseen: frozenset[str], caption: str, label: str) -> str:
    """`caption` is LaTeX already."""
    blocks = []
    for group, of_group in table.groups:
        rows = []
        for place, line in enumerate(of_group):
            entries = [
                entry_text(e, lambda t: rf"\textbf{{{t}}}", r" $\pm$", lambda m: f"$^{{{m}}}$") for e in line.entries
            ]
            rows.append([tex(group) if place == 0 else "", tex(line_head(line, unseen)), *entries])
        blocks.append(rows)
    caption = f"{tex(f'{task}: {table.title}.')} {caption}"
    return latex_lines("ll" + "r" * len(arms), ["", "", *map(tex, arms)], blocks, caption, label)


def latex_sheet(task: str, sheet: Sheet, label: str) -> str:
    blocks = [[list(map(tex, row)) for row in block] for block in sheet.blocks]
    heads = [rf"\shortstack[{side}]{{{tex(head).replace(' ', BREAK)}}}" if head else ""
             for head, side in zip(sheet.head, sheet.columns, strict=True)]  # fmt: skip
    caption = tex(" ".join([f"{task}: {sheet.title}.", *sheet.notes]))
    return latex_lines(sheet.columns, heads, blocks, caption, label, size=r"\scriptsize\setlength{\tabcolsep}{3pt}")


def latex_lines(
    columns: str,
    heads: Sequence[str],
    blocks: Sequence[Sequence[Sequence[str]]],
    caption: str,
    label: str,
    size: str = r"\small",
) -> str:
    """A `table`; heads, cells and caption are LaTeX already."""
    lines = [r"\begin{table}", rf"\centering{size}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines.append(rf"{' & '.join(heads)} \\")
    for block in blocks:
        lines += [r"\midrule", *(rf"{' & '.join(row)} \\" for row in block)]
    lines += [r"\bottomrule", r"\end{tabular}", rf"\caption{{{caption}}}", rf"\label{{{label}}}"]
    return "\n".join([*lines, r"\end{table}", ""])


def tex(text: str) -> str:
    """Data as LaTeX prints it, none of it as a command."""
    return "".join(LATEX.get(character, character) for character in " ".join(text.split()))
