"""Heat maps of several arms side by side, with one cursor and one scale of colours."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import HorizontalScroll, Vertical
from textual.events import Resize
from textual.widgets import Static

from workbench.tui.arms_dialog import MOST
from workbench.tui.widgets.heatmap import EMPTY, HeatMap, Matrix

LEAST = 20
"""Cells that a map has, in however little room."""


class StillMap(HeatMap):
    """Nothing is behind its cells."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose"


class ArmMap(Vertical):
    """An arm's name over its map."""

    DEFAULT_CSS = """
    ArmMap { height: 1fr; padding: 0 1; }
    ArmMap HeatMap { height: 1fr; }
    ArmMap .arm { height: 1; text-style: bold; }
    """

    def compose(self) -> ComposeResult:
        yield Static("", classes="arm", markup=False)
        yield StillMap()

    @property
    def map(self) -> HeatMap:
        return self.query_one(HeatMap)

    def entitle(self, name: str) -> None:
        self.query_one(".arm", Static).update(Text(name, no_wrap=True, overflow="ellipsis"))


class ArmMaps(HorizontalScroll, can_focus=False):
    """As many maps beside each other as there is room for; Tab goes to the next."""

    DEFAULT_CSS = "ArmMaps { height: 1fr; scrollbar-size: 1 1; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.names: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        for _ in range(MOST):
            yield ArmMap()

    @property
    def panels(self) -> list[ArmMap]:
        """Those that are shown."""
        return [panel for panel in self.query(ArmMap) if panel.display]

    @property
    def front(self) -> HeatMap:
        """The one with the focus, else the first."""
        maps = list(self.query(HeatMap))
        return next((one for one in maps if one.has_focus), maps[0])

    def show(self, names: Sequence[str], matrices: Sequence[Matrix]) -> None:
        """Replace the maps, one an arm."""
        self.names = names
        for number, panel in enumerate(self.query(ArmMap)):
            panel.display = number < len(matrices)
            panel.map.show(matrices[number] if panel.display else EMPTY)
        self.fit()

    def fit(self) -> None:
        """Each map whole; where one is too wide for the screen it scrolls in itself."""
        panels = self.panels
        needed = max((panel.map.virtual_size.width + 3 for panel in panels), default=1)
        beside = max(1, self.size.width // needed)
        for number, (panel, name) in enumerate(zip(panels, self.names, strict=False), 1):
            panel.styles.width = needed if beside >= len(panels) else max(LEAST, self.size.width // beside)
            out_of_sight = f"   map {number} of {len(panels)}, tab: the next" if beside < len(panels) else ""
            panel.entitle(name + out_of_sight)

    def on_resize(self, event: Resize) -> None:
        self.fit()

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        """The cursors of all maps stand on one cell; who is above hears of it too."""
        front = self.front
        for panel in self.panels:
            if panel.map is not front:
                panel.map.cursor = front.cursor
