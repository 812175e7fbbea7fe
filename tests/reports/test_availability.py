"""Before a launch: which configs there are, what their runs read, what is missing."""

from pathlib import Path
from typing import Any

import pytest

from workbench.config import expand
from workbench.data.fetched import Fetched, write_manifest
from workbench.reports.availability import availability
from workbench.reports.configs import config_listing


def states(folder: Path, **content: Any) -> dict[str, tuple[str, str]]:
    given = {"name": "x", "evaluate": {"tasks": {"demo": {}}}, **content}
    return {row["key"]: (row["state"], row["fetch"]) for row in availability(expand(given, "x").settings, folder)}


def test_what_is_built_in_here_or_missing(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("")
    (tmp_path / "model").mkdir()
    sets = {"demo": {}, "mine": {"path": "mine.jsonl"}, "other": {"path": "other.jsonl"}, "squad": {}}
    synthetic = {
        "code_switching": {"lexicons": "lexicons"},
        "filter": {"similarity": {"checkpoint": "a/b", "threshold": 0.5}},
    }
    found = states(
        tmp_path,
        model={"checkpoint": "model"},
        train={"sets": sets, "steps": 1, "synthetic": synthetic},
        sweep={"model.checkpoint": ["model", "builtin"]},
    )
    assert found == {
        "train.sets.demo": ("built in", ""),
        "train.sets.mine": ("here", ""),
        "train.sets.other": ("missing", "bring it, or mend the path"),
        "train.sets.squad": ("missing", "workbench data fetch squad"),
        "train.synthetic.code_switching.lexicons": ("missing", "bring it, or mend the path"),
        "train.synthetic.filter.similarity.checkpoint": ("on a hub", ""),
        "evaluate.tasks.demo": ("built in", ""),
        "model.checkpoint": ("built in", ""),
    }


def test_languages_that_were_not_fetched_are_missing(tmp_path: Path) -> None:
    write_manifest(Fetched("miracl", "mteb/MIRACLRetrieval", "abc", "0" * 16, ("sw",), (), "2026-01-01T00:00:00+00:00"))
    there = {"tasks": {"miracl": {"languages": ["sw"]}}}
    assert states(tmp_path, evaluate=there)["evaluate.tasks.miracl"] == ("here", "")
    more = {"tasks": {"miracl": {"languages": ["sw", "yo"]}}}
    assert states(tmp_path, evaluate=more)["evaluate.tasks.miracl"] == (
        "missing",
        "workbench data fetch miracl --language yo",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# One line. And more.\nname: x\n", "One line."),
        ("# Over\n# two lines: v1.5 counts\n", "Over two lines: v1.5 counts"),
        ("name: x\n# later\n", ""),
    ],
)
def test_configs_say_what_they_are_for(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text("name: y\n")
    (tmp_path / "b.yaml").write_text(text)
    for other in ("claims", "results/a-run"):
        (tmp_path / "deep" / other).mkdir(parents=True)
        (tmp_path / "deep" / other / "config.yaml").write_text("name: no config\n")
    rows = config_listing(tmp_path)
    assert [row["about"] for row in rows] == [says, ""]
    assert config_listing(tmp_path / "none") == []
