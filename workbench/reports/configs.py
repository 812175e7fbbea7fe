"""The configs that lie in a folder, and what each says of itself."""

from collections.abc import Iterator
from pathlib import Path

from workbench.reports.overview import Row

OTHERS = {"claims", "results"}
"""Folders beside configs whose YAML files are none: claims, and packed runs with what they were made from."""
ABOUT_LINES = 20
"""Lines at the beginning of a config in which it says what it is for."""


def config_listing(folder: Path) -> list[Row]:
    """One row a config, those at the top first: its path and the first sentence of the comment that it begins with."""
    return [{"path": str(path), "about": about(path)} for path in config_files(folder)]


def config_files(folder: Path) -> list[Path]:
    """The configs in a folder and those below it, those at the top first; not what lies in folders for other files."""

    def place(path: Path) -> tuple[str, ...]:
        return path.relative_to(folder).parts

    found = [path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file()]
    return sorted(
        (path for path in found if not OTHERS & {*place(path)[:-1]}), key=lambda path: (len(place(path)), path)
    )


def about(path: Path) -> str:
    """The first sentence of the comment at the beginning; empty where there is none."""
    words = " ".join(comment_lines(path))
    end = next(
        (place for place in range(len(words)) if words[place] in ".?!" and words[place + 1 : place + 2] in " "), None
    )
    return words if end is None else words[: end + 1]


def comment_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for _, line in zip(range(ABOUT_LINES), lines, strict=False):
                text = line.strip()
                if not text.startswith("#"):
                    return
                yield text.lstrip("# ")
    except OSError:
        return
