"""The pictures of a report as SVG: made by matplotlib, text as text, the same bytes for the same numbers."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from workbench.records import ALL_POOLS
from workbench.reports.export.curves import QUANTITIES, Curve
from workbench.reports.export.figures import SAMPLINGS, Table
from workbench.reports.export.results import Matrix
from workbench.reports.translated import TRANSLATED

# where the home cannot be written it makes itself a folder elsewhere, and would say so on stderr
logging.getLogger("matplotlib").setLevel(logging.ERROR)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
UNSEEN = "°"
"""Marks a language that no training pair was in."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Of arms: Okabe & Ito's, which colour-blind people tell apart."""
MARKERS = "osD^vP*X"
CELL_WIDTH, CELL_HEIGHT = 0.44, 0.29
"""Of a heat map, in inches."""
SPARSE = 15
"""Points of a curve up to which each has a dot."""
GAP = 0.25
"""Before the column of the multilingual pool, in cells."""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "workbench",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # measured with the first, shown with what a reader has
    "font.size": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid.axis": "both",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
}


def heat_map(
    matrix: Matrix,
    languages: Sequence[str],
    pools: Sequence[str],
    *,
    key: str,
    title: str,
    scale: tuple[float, float],
    translated: frozenset[tuple[str, str]] = frozenset(),
) -> str:
    """Query languages down, pools across, the number in each cell; the multilingual pool stands apart.

    Parameters
    ----------
    key
        A word that is the picture's own on its page.
    scale
        The values of the first and the last colour. A difference's colours run from one hue over white to another.
    """
    starts = [float(place) + (GAP if pool == ALL_POOLS else 0.0) for place, pool in enumerate(pools)]
    width, height = (starts[-1] + 1) * CELL_WIDTH, len(languages) * CELL_HEIGHT
    with drawing(width + 0.75, height + 0.55) as (figure, finish):
        axes = figure.add_axes((0.6 / (width + 0.75), 0.1 / (height + 0.55), width / (width + 0.75),
                                height / (height + 0.55)))  # fmt: skip
        colours = "viridis" if matrix.against is None else "PuOr"
        shades = shades_of(matrix.values, scale, colours)
        for row in range(len(languages)):
            for column, start in enumerate(starts):
                value = matrix.values[row, column]
                if not math.isnan(value):
                    is_translated = (languages[row], pools[column]) in translated
                    text = number(value, signed=matrix.against is not None) + (TRANSLATED if is_translated else "")
                    draw_cell(axes, start, row, shades[row, column], text, bool(matrix.significant[row, column]))
        axes.set_xlim(0, starts[-1] + 1)
        axes.set_ylim(len(languages), 0)
        marked = [f"{name}{UNSEEN if name in matrix.unseen else ''}" for name in languages]
        heads = ["all" if p == ALL_POOLS else f"{p}{UNSEEN if p in matrix.unseen else ''}" for p in pools]
        axes.set_yticks([row + 0.5 for row in range(len(languages))], marked)
        axes.set_xticks([start + 0.5 for start in starts], heads)
        axes.tick_params(length=0, pad=3, top=False, labeltop=True, labelbottom=False)
        axes.set_ylabel("query", labelpad=4)
        axes.set_xlabel("pool", labelpad=4)
        axes.xaxis.set_label_position("top")
        axes.spines[:].set_visible(False)
        return finish(key, title)


def shades_of(values: np.ndarray, scale: tuple[float, float], colours: str) -> np.ndarray:
    """[rows, columns, 4] red, green, blue, opacity."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    low, high = scale
    place = Normalize(low, high if high > low else low + 1)(np.nan_to_num(values))
    return np.asarray(colormaps[colours](np.asarray(place)))


def draw_cell(axes: Axes, x: float, y: float, shade: np.ndarray, text: str, significant: bool) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), 1, 1, facecolor=tuple(shade), edgecolor="white", linewidth=0.8))
    light = luminance(shade) > 0.2
    axes.text(
        x + 0.5,
        y + 0.52,
        text + (SAMPLINGS if significant else ""),
        ha="center",
        va="center",
        fontsize=7,
        color="black" if light else "white",
        fontweight="bold" if significant else "normal",
    )


def luminance(shade: np.ndarray) -> float:
    """Relative luminance (WCAG 2): black is read above about .2, white below."""
    parts = np.where(shade[:3] <= 0.03928, shade[:3] / 12.92, ((shade[:3] + 0.055) / 1.055) ** 2.4)
    return float(parts @ [0.2126, 0.7152, 0.0722])


def number(value: float, *, signed: bool) -> str:
    """`.512`, `+.012`, `513`: as much as a cell has room for."""
    size = abs(value)
    digits = f"{size:.0f}" if size >= 99.95 else f"{size:.3g}" if size >= 0.9995 else f"{size:.3f}"[1:]
    sign = "−" if value < 0 else "+" if signed else ""
    return digits if digits == ".000" else sign + digits


def common_scale(matrices: Sequence[Matrix]) -> tuple[float, float]:
    """From the lowest to the highest value of any; of differences alike to both sides of zero."""
    values = np.concatenate([matrix.values[np.isfinite(matrix.values)] for matrix in matrices])
    if matrices[0].against is None:
        return float(values.min()), float(values.max())
    most = float(np.abs(values).max())
    return -most, most


def curve_plot(curves: Sequence[Curve], arms: Sequence[str], *, key: str) -> str:
    """Thin lines for the runs, a panel for each quantity that there is."""
    quantities = [name for name in QUANTITIES if any(curve.quantity == name for curve in curves)]
    drawn = [arm for arm in arms if any(curve.arm == arm for curve in curves)]
    with drawing(3.4 * len(quantities), 2.6) as (figure, finish):
        panels = figure.subplots(1, len(quantities), squeeze=False)[0]
        for axes, quantity in zip(panels, quantities, strict=True):
            for curve in (curve for curve in curves if curve.quantity == quantity):
                axes.plot(curve.steps, curve.values, color=colour(arms, curve.arm), linewidth=0.9, alpha=0.8,
                          marker="o" if len(curve.steps) <= SPARSE else None, markersize=2.5)  # fmt: skip
            axes.set_title(QUANTITIES[quantity], fontsize=8, loc="left")
            axes.set_xlabel("step")
            axes.set_xlim(left=0)
            axes.grid(True)
            if quantity == "pairs_per_second":
                axes.set_ylim(bottom=0)
        legend(figure, arms, drawn, lines=True)
        figure.tight_layout(rect=(0, 0, 1, 0.9))
        return finish(key, f"training curves: {', '.join(QUANTITIES[name] for name in quantities)}")


def distance_plot(table: Table, arms: Sequence[str], unseen: frozenset[str], *, key: str) -> str:
    """Rank distance by query language: a dot an arm, and one standard deviation over seeds to both sides."""
    height = 0.9 + 0.24 * len(table.lines)
    with drawing(5.2, height) as (figure, finish):
        axes = figure.subplots()
        for place, arm in enumerate(arms):
            means = [line.entries[place].mean for line in table.lines]
            spreads = [np.nan_to_num(line.entries[place].deviation) for line in table.lines]
            axes.errorbar(means, range(len(means)), xerr=spreads, fmt=MARKERS[place % len(MARKERS)], markersize=4.5,
                          color=colour(arms, arm), linewidth=0, elinewidth=1)  # fmt: skip
        heads = [f"{line.head}{UNSEEN if line.head in unseen else ''}" for line in table.lines]
        axes.set_yticks(range(len(heads)), heads)
        axes.set_ylim(len(heads) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("rank distance (lower is better)")
        axes.set_ylabel("query")
        axes.tick_params(axis="y", length=0)
        axes.grid(True)
        axes.set_axisbelow(True)
        legend(figure, arms, arms, lines=False)
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.28 / height))
        return finish(key, "rank distance by query language")


def colour(arms: Sequence[str], arm: str) -> str:
    return COLOURS[arms.index(arm) % len(COLOURS)]


def legend(figure: Figure, arms: Sequence[str], shown: Sequence[str], *, lines: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour(arms, arm), linewidth=1.5 if lines else 0,
               marker=None if lines else MARKERS[arms.index(arm) % len(MARKERS)], markersize=4.5, label=arm)
        for arm in shown
    ]  # fmt: skip
    figure.legend(handles=handles, loc="upper left", ncols=min(4, len(handles)), fontsize=8)


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Callable[[str, str], str]]]:
    """A figure of so many inches, and what makes an SVG of it, given a key and a title."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure((width, height))

        def finish(key: str, title: str) -> str:
            out = io.BytesIO()
            nothing: Mapping[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
            figure.savefig(out, format="svg", metadata=nothing)
            return inline(out.getvalue(), key, title)

        yield figure, finish


def inline(svg: bytes, key: str, title: str) -> str:
    """The picture as a part of a page: ids of its own, a name for screen readers, no style for the whole page."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, f"{key}-{value}")
            elif name == f"{{{XLINK}}}href" and value.startswith("#"):
                element.set(name, f"#{key}-{value[1:]}")
            elif "url(#" in value:
                element.set(name, value.replace("url(#", f"url(#{key}-"))
    root.set("role", "img")
    root.set("aria-label", title)
    return ElementTree.tostring(root, encoding="unicode")
