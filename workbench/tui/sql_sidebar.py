"""What there is to ask, beside the editor of SQL: saved queries, those asked lately, views and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree

from workbench.reports.saved_queries import SavedQuery
from workbench.reports.tables import shown

WIDEST = 60
"""Characters of an earlier query that are shown."""


@dataclass(frozen=True)
class Known:
    """What the sidebar shows."""

    saved: Sequence[SavedQuery]
    asked: Sequence[str]
    views: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Entry:
    """A query to put into the editor, or a name to insert."""

    name: str = ""
    """Of a view, a column, or a saved query."""
    statement: str = ""
    """Of a query."""
    is_own: bool = False
    """Whether it is a query that the user saved."""


class Sidebar(Tree[Entry]):
    """Enter takes a query or a column; `i` the name of a view, which Enter opens; `d` is for the user's queries."""

    class Taken(Message):
        """A query is wanted in the editor, or a name is to be inserted there."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    class Unwanted(Message):
        """A saved query is to be deleted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "insert", "Insert name", show=False),
        Binding("d", "delete", "Delete"),
    ]
    DEFAULT_CSS = """
    Sidebar { width: 29; height: 1fr; padding: 0 0 0 1; overflow-x: hidden; scrollbar-size: 1 1; }
    Sidebar.hidden { display: none; }
    """

    def __init__(self) -> None:
        super().__init__(Text("sql"), id="known")

    def on_mount(self) -> None:
        self.show_root = False
        self.guide_depth = 2

    def show(self, known: Known) -> None:
        """Fill it anew; what was open stays open."""
        parts = self.root.children
        was_open = {str(node.label) for part in parts for node in (part, *part.children) if node.is_expanded}
        at = self.cursor_line
        self.clear()
        saved = self.root.add(Text("saved queries"), expand=True)
        for one in known.saved:
            label = f"{one.name} (example)" if one.shipped else one.name
            saved.add_leaf(Text(label), Entry(one.name, one.statement, is_own=not one.shipped))
        asked = self.root.add(Text("history"), expand="history" in was_open)
        for statement in known.asked:
            asked.add_leaf(Text(shown(statement)[:WIDEST]), Entry(statement=statement))
        views = self.root.add(Text("views" if known.views else "views: no results yet"), expand=True)
        for view, columns in known.views.items():
            node = views.add(Text(view), Entry(view), expand=view in was_open)
            for name, kind in columns:
                node.add_leaf(Text.assemble(name, "  ", (kind, "dim")), Entry(name))
        self.cursor_line = max(at, 0)

    @property
    def current(self) -> Entry | None:
        """What the cursor is on; None on a heading."""
        return self.cursor_node.data if self.cursor_node else None

    def on_tree_node_highlighted(self) -> None:
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Delete is offered where there is something to delete."""
        return self.current is not None and self.current.is_own if action == "delete" else True

    def on_tree_node_selected(self, event: Tree.NodeSelected[Entry]) -> None:
        event.stop()
        if event.node.data is not None and not event.node.children:
            self.post_message(self.Taken(event.node.data))

    def action_insert(self) -> None:
        if self.current is not None and not self.current.statement:
            self.post_message(self.Taken(self.current))

    def action_delete(self) -> None:
        if self.current is not None and self.current.is_own:
            self.post_message(self.Unwanted(self.current.name))
