"""The form's rows, what is typed into them, and where problems stand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.config import expand, read_config
from workbench.config_keys import reference
from workbench.errors import InputError
from workbench.records import to_plain
from workbench.reports.configs import config_files
from workbench.tui.draft import MOST_RUNS, STARTER, Draft, checked, handed_over
from workbench.tui.form import as_text, brief, entries, placed, typed
from workbench.tui.yaml_edit import MISSING

CONFIGS = config_files(Path(__file__).parents[2] / "configs")
FULL = {
    "train": {
        "sets": {"s": {}},
        "synthetic": {"translator": {}, "code_switching": {}, "filter": {"similarity": {}}, "shares": {}},
    },
    "evaluate": {"tasks": {"t": {}}},
}


def test_every_key_of_the_reference_has_a_row() -> None:
    rows = {row.key.replace(".s.", ".<name>.").replace(".t.", ".<name>.") for row in entries(FULL)}
    assert {row["key"] for row in reference()} <= rows


def test_rows_have_docs_types_defaults_limits_and_choices() -> None:
    rows = {row.key: row for row in entries(FULL)}
    assert rows["train.warmup"].limits == "0 or more, below 1" and rows["train.warmup"].type == "number"
    assert rows["train.sampling.strategy"].choices[:2] == ("english", "pooled")
    assert rows["train.sampling.strategy"].shown() == "hybrid" and not rows["train.sampling.strategy"].is_given
    assert rows["name"].default == "needed" and rows["seed"].limits == "0 or more"
    assert rows["train.synthetic.filter.copies"].choices == ("true", "false")
    assert all(row.doc for row in rows.values() if row.kind != "named")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("train.steps", "20", 20),
        ("train.steps", "2e1", "2e1"),
        ("train.steps", " ", MISSING),
        ("train.learning_rate", "3e-5", 3e-5),
        ("train.learning_rate", "1", 1),
        ("name", "no: yes [b]", "no: yes [b]"),
        ("model.query_prefix", '"query: "', "query: "),
        ("model.query_prefix", "''", ""),
        ("evaluate.tasks.t.languages", "de, no", ["de", "no"]),
        ("evaluate.tasks.t.languages", "[de]", ["de"]),
        ("train.synthetic.filter.copies", "false", False),
        ("train.synthetic.shares", "{de: 0.5}", {"de": 0.5}),
        ("seed", "!!python/object:os.system", "!!python/object:os.system"),
    ],
)
def test_what_is_typed(key: str, text: str, value: Any) -> None:
    row = next(row for row in entries(FULL) if row.key == key)
    assert typed(text, row.of) == value
    if value is not MISSING:
        assert typed(as_text(value), row.of) == value


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ("train: {steps: abc}", "train.steps", "'abc'"),
        ("train: {steps: 1, epochs: 2}", "train", "either steps or epochs"),
        ("train: {stepz: 1}", "train", "did you mean 'steps'"),
        ("evaluate: {tasks: {xquad_r: {split: dev}}}", "evaluate.tasks.xquad_r.split", "has no such option"),
        ("sweep: {seed: [x]}", "sweep.seed", "'x'"),
        ("sweep: {seed: 1}", "sweep.seed", "give a list"),
    ],
)
def test_problems_stand_at_their_keys(change: str, key: str, says: str) -> None:
    content = yaml.safe_load(STARTER)
    for name, part in yaml.safe_load(change).items():
        content[name] = {**content[name], **part}
    with pytest.raises(InputError) as problem:
        expand(yaml.safe_load(yaml.safe_dump(content)), "a: b.yaml")
    by_key, others = placed(str(problem.value).splitlines(), "a: b.yaml", entries(content))
    assert says in by_key[key] and not others


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: "-".join(path.parts[-2:]))
def test_a_run_that_is_handed_over_without_defaults_is_the_same_run(path: Path) -> None:
    for settings in read_config(path).settings[:2]:
        short = brief(to_plain(settings))
        assert expand(short, "copy").settings == (settings,)
        draft = handed_over({"run_id": "r", "settings": to_plain(settings)}, "copy")
        assert checked(draft).problems == []


def test_a_sweep_that_is_too_large_is_not_expanded() -> None:
    sweep = f"sweep: {{seed: {list(range(MOST_RUNS))}, train.steps: [1, 2]}}"
    found = checked(Draft("", "x").with_text(STARTER.partition("sweep:")[0] + sweep))
    assert "4,000 runs" in found.problems[0] and found.experiment is None
