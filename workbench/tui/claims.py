"""Published claims and what the results say of them: verdicts, evidence, the runs that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.config import parse_yaml
from workbench.files import file_mark
from workbench.reports.tables import p_value, shown
from workbench.tui.dialogs import Dialog, ExportDialog
from workbench.tui.pane import Pane, Row
from workbench.tui.widgets.table import Column, PagedTable

SIGNS = {"supported": "+", "contradicted": "-", "not distinguishable": "=", "not testable yet": "?"}
"""Before a verdict's words, so that they are told apart at a glance without colour."""
EVIDENCE = (
    *("says", "first", "second", "less", "first_value", "second_value", "difference", "low", "high", "limit"),
    *("p", "p_contrary", "detectable", "cells", "seeds", "about"),
)
BESIDE = 90
"""Cells that the columns beside it take."""
PLAN = "the plan of missing runs"
NO_STORE = "no results yet: press 2 for New, where the quickstart waits"


class OneSeed(str):
    """A verdict that rests on one seed: it is filtered and sorted as any other, and shown with a mark."""


class ClaimsTable(PagedTable):
    """Says below what the mark means, where there is one."""

    def counted(self) -> str:
        from workbench.reports.claims import FOOTNOTE

        is_marked = any(isinstance(row["verdict"], OneSeed) for row in self.found)
        return f"{super().counted()}{f'   {FOOTNOTE}' * is_marked}"


class ClaimsPane(Pane):
    """Judged anew whenever the store has changed since: that takes a while, in a thread."""

    HELP: ClassVar[str] = """\
Each claim of the published work, held against the results: one row for each task and group of arms that are alike but \
for what the claim varies. Several tests at once are corrected together (Holm).

+ supported            the results agree, beyond chance
- contradicted         they say the contrary, beyond chance
= not distinguishable  chance alone could have made them
? not testable yet     the results that it takes are missing

enter  the evidence, what is published, the missing runs
l L    launch the runs that this claim lacks, that all lack
/      filter: verdict=supported arm~hybrid
o O    sort by the next column, turn the order
y e    copy the claim in words, export the verdicts

`arm` is the one that the claim is made of, or those that tell a row from the others of its claim.
`published` counts the published figures that agree: they have one seed and no test."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "launch(False)", "Launch missing"),
        Binding("L", "launch(True)", "Launch all missing", show=False),
    ]
    DEFAULT_CSS = """
    ClaimsPane #claim { height: 5; padding: 0 1; background: $panel; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.judged: Sequence[tuple[Row, Any]] = ()
        self.lines: Sequence[Row] = ()
        """What the table shows of them."""
        self.names: Mapping[str, str] = {}
        """By arm, as short as it takes."""
        self.stamp: tuple[int, int] | None = None
        """Size and time of the store that the verdicts are of."""

    def compose(self) -> ComposeResult:
        yield ClaimsTable(
            [
                Column("claim", "claim"),
                Column("verdict", "verdict", show=signed),
                Column("p", "p", show=p_value, right=True),
                Column("lacks", "lacks", right=True),
                Column("arm", "arm", show=self.fitted),
                Column("seeds", "seeds", right=True),
                Column("published", "published"),
                Column("task", "task"),
                Column("detectable", "detectable", right=True),
                Column("model", "model"),
            ],
            key="place",
            empty="no claims judged yet",
        )
        yield Static("", id="claim", markup=False)

    def shown(self) -> None:
        store = self.reader.store
        if not store.exists():
            self.query_one("#claim", Static).update(Text(NO_STORE))
            return
        stamp = file_mark(store)
        if stamp == self.stamp:
            return
        self.query_one(PagedTable).say("judging the claims; that takes a while")

        def read() -> Sequence[tuple[Row, Any]]:
            from workbench.reports.claims import judged  # scipy: not before it is needed

            return judged(store)

        def then(found: Sequence[tuple[Row, Any]]) -> None:
            self.stamp, self.judged = stamp, found
            self.lines = lines_of([row for row, _ in found])
            self.draw()

        self.load(read, then)

    def draw(self) -> None:
        """Show the verdicts; the arms' names in as much as there is room for."""
        from workbench.reports.arm_choices import LEAST_NAME, fitted_names

        arms = {arm for line in self.lines for arm in line["arm"].split(", ") if arm}
        self.names = fitted_names(sorted(arms), max(LEAST_NAME, self.size.width - BESIDE))
        self.query_one(PagedTable).show(self.lines)

    def fitted(self, arms: str) -> str:
        return ", ".join(shown(self.names[arm]) for arm in arms.split(", ")) if arms else ""

    def on_resize(self) -> None:
        if self.lines:
            self.draw()

    @property
    def current(self) -> Row | None:
        """The claim under the cursor, with all that is known of it."""
        line = self.query_one(PagedTable).current
        return self.judged[line["place"]][0] if line else None

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        event.stop()
        row = self.judged[event.row["place"]][0]
        self.query_one("#claim", Static).update(Text(f"{shown(row['text'])} ({shown(row['source'])})\n{why(row)}"))

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        self.app.push_screen(EvidenceDialog(self.judged[event.row["place"]][0]))

    # launching what is missing

    def action_launch(self, all_claims: bool) -> None:
        line = self.query_one(PagedTable).current
        if not self.judged or line is None:
            self.app.say("no claims judged yet")
            return
        findings = [finding for _, finding in (self.judged if all_claims else [self.judged[line["place"]]])]

        def read() -> str | None:
            from workbench.reports.claim_plan import plan_of

            return plan_of(findings)

        self.load(read, self.planned, group="plan")

    def planned(self, plan: str | None) -> None:
        if plan is None:
            self.app.say("no run is missing that a config can name; Enter tells what is")
            return
        self.app.call_later(self.app.new_from, parse_yaml(plan, PLAN), PLAN)

    # what the app's keys do here

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        table = self.query_one(PagedTable)
        from workbench.reports.claims import qualified

        rows = [{**line, "verdict": qualified(self.judged[line["place"]][0])} for line in table.found]
        return [column.key for column in table.columns], rows

    def marked_text(self) -> str:
        from workbench.reports.claim_words import claim_in_words

        return claim_in_words(dict(self.current)) if self.current else ""

    def action_filter(self) -> None:
        self.query_one(PagedTable).open_filter()


class EvidenceDialog(Dialog):
    """All that is known of one claim."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "leave", "Back", show=False),
        Binding("y", "copy", "Copy"),
        Binding("e", "export", "Export"),
    ]
    DEFAULT_CSS = """
    EvidenceDialog > VerticalScroll { width: 100; }
    EvidenceDialog .hint { margin-top: 1; color: $text-muted; }
    """

    def __init__(self, row: Row) -> None:
        from workbench.reports.claim_words import claim_in_words
        from workbench.reports.claims import qualified

        super().__init__()
        self.row = row
        self.headline = f"{row['claim']}  {SIGNS[row['verdict']]} {qualified(row)}"
        self.words = claim_in_words(dict(row))

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text(self.headline), classes="heading", markup=False)
            yield Static(Text(self.words), markup=False)
            yield Static("esc back   y copy   e export the evidence", classes="hint", markup=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.words)
        self.notify("copied", markup=False)

    def action_export(self) -> None:
        if self.row["evidence"]:
            self.app.push_screen(ExportDialog(f"{self.row['claim']}-evidence", EVIDENCE, self.row["evidence"]))
        else:
            self.notify("no evidence to export yet", markup=False)


def signed(verdict: str) -> str:
    from workbench.reports.claims import ONE_SEED

    return f"{SIGNS[verdict]} {verdict}{ONE_SEED * isinstance(verdict, OneSeed)}"


def lines_of(rows: Sequence[Row]) -> list[Row]:
    """What the table shows of claims."""
    from workbench.reports.claims import told_apart

    return [as_line(place, row, arms) for place, (row, arms) in enumerate(zip(rows, told_apart(rows), strict=True))]


def as_line(place: int, row: Row, arms: str) -> Row:
    held = [figure["holds"] for figure in row["published"]]
    return {
        **row,
        "place": place,
        "verdict": OneSeed(row["verdict"]) if row["seeds"] == 1 else row["verdict"],
        "lacks": len(row["missing"]) + len(row["unplanned"]) or None,
        "published": f"{sum(held)} of {len(held)}" if held else "",
        "arm": arms,
    }


def why(row: Row) -> str:
    """What the verdict is about, why it is not testable, what it lacks."""
    arms = ", ".join(row["arms"])
    lacks = f"l launches the {len(row['missing'])} that a config can name" if row["missing"] else ""
    return shown("; ".join(filter(None, (arms, row["reason"], lacks))))
