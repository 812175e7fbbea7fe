import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.analysis.claims import read_claims
from workbench.arms import make_run_id
from workbench.config import Experiment, expand, freeze, read_config
from workbench.config_keys import reference
from workbench.data.fetching import fetch
from workbench.errors import InputError
from workbench.records import RunSpec, from_plain, to_plain
from workbench.reports.configs import config_files

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


def content(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "try",
        "train": {"sets": {"demo": {}}, "steps": 10, "sampling": {"strategy": "mono"}},
        "evaluate": {"tasks": {"demo": {}}},
    }
    return {**base, **changes}


def error(plain: Any, *overrides: str) -> str:
    with pytest.raises(InputError) as raised:
        expand(plain, "file.yaml", overrides)
    return str(raised.value)


def test_defaults_and_loaders_are_filled_in() -> None:
    (settings,) = expand(content(), "file.yaml").settings
    assert settings.train is not None
    assert settings.train.sets["demo"].loader == settings.evaluate.tasks["demo"].loader == "demo"
    assert settings.train.sampling.alpha == 0.5 and settings.model.checkpoint == "builtin"
    assert settings.keep == "model"


def test_overrides_are_yaml_and_go_first() -> None:
    found = expand(
        content(sweep={"seed": [1, 2]}),
        "file.yaml",
        ["train.learning_rate=1e-4", "model.query_prefix=query: ", "sweep.train.sampling.alpha=[0.1, 0.9]"],
    )
    assert len(found.settings) == 4
    assert {s.train.learning_rate for s in found.settings if s.train} == {1e-4}
    assert {s.model.query_prefix for s in found.settings} == {"query: "}
    assert [(s.seed, s.train.sampling.alpha) for s in found.settings if s.train] == [
        (1, 0.1),
        (1, 0.9),
        (2, 0.1),
        (2, 0.9),
    ]
    assert {s.keep for s in found.settings} == {"nothing"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nmae": 1}, "file.yaml: nmae: unknown key; allowed: .*did you mean 'name'"),
        ({"train": {"sets": {"demo": {}}, "steps": 5, "stepz": 3}}, "train.stepz: unknown key.*did you mean 'steps'"),
        ({"train": {"sets": {"demo": {"lang": 3}}, "steps": 5}}, "train.sets.demo.lang: unknown key; allowed: loader"),
        (
            {"train": {"sets": {"demo": {}}, "steps": 5, "sampling": {"strategy": "hybird"}}},
            "strategy: 'hybird' is not allowed; allowed: english.*did you mean 'hybrid'",
        ),
        ({"train": {"sets": {"demo": {}}, "steps": 0}}, "train.steps: 0: .*greater than or equal to 1"),
        ({"train": {"sets": {"demo": {}}, "steps": "many"}}, "train.steps: 'many': .*integer"),
        ({"train": {"sets": {"demo": {}}, "learning_rate": float("nan"), "steps": 1}}, "learning_rate: nan"),
        ({"train": {"sets": {}, "steps": 5}}, "train.sets: .*at least 1"),
        ({"train": {"sets": {"demo": {}}}}, "give either steps or epochs"),
        ({"train": {"sets": {"demo": {}}, "steps": 5, "epochs": 1}}, "give either steps or epochs"),
        ({"train": {"sets": {"mine": {}}, "steps": 5}}, "train.sets.mine.*allowed: demo"),
        ({"train": {"sets": {"mine": {"path": "a.zip"}}, "steps": 5}}, "train.sets.mine.*a.zip.*parquet"),
        ({"train": {"sets": {"demo": {"path": "x"}}, "steps": 5}}, "train.sets.demo.path.*built in"),
        ({"evaluate": {"tasks": {"mine": {"loader": "beir"}}}}, "evaluate.tasks.mine.path.*need a path"),
        (
            {"evaluate": {"tasks": {"miracl": {"loader": "beir", "path": "x"}}}},
            "miracl is read by miracl: give the task",
        ),
        ({"evaluate": {"tasks": {"demo": {"index": "ivf"}}}}, "evaluate.tasks.demo.index: an index needs a depth"),
        ({"evaluate": {"tasks": {"demo": {"split": "dev"}}}}, "demo.split is 'dev'; the loader demo has no such"),
        ({"train": {"sets": {"demo": {"passage_text": "paragraph"}}, "steps": 5}}, "demo.passage_text is 'paragraph'"),
        ({"evaluate": {"tasks": {"demo": {"settings": ["monolingal"]}}}}, "'monolingal' is not allowed.*monolingual"),
        ({"sweep": {"seed": 3}}, "sweep.seed: give a list of values, not 3"),
        ({"sweep": ["seed"]}, "sweep: give a list of values for each dotted key"),
        ({"sweep": {"seed.deep": [1]}}, "seed: {'deep': 1}"),
        ({"seed": True}, "seed: True"),
        ({"name": ""}, "name: ''"),
        ({"evaluate": {"tasks": {"v1.1": {"path": "x"}}}}, "evaluate.tasks: the name 'v1.1'; allowed: letters"),
    ],
)
def test_errors_name_the_key_the_value_and_what_is_allowed(change: dict[str, Any], says: str) -> None:
    assert re.search(says, error(content(**change)))


@pytest.mark.parametrize(
    ("override", "swept", "says"),
    [
        ("seed=5", "seed", "--set seed=5: seed is in the config's sweep; give its values by --set 'sweep.seed="),
        (
            "train.sampling={strategy: mono}",
            "train.sampling.strategy",
            r"train.sampling \(train.sampling.strategy\) is",
        ),
        ("train.steps=7", "train", r"train.steps \(train\) is in .* 'sweep.train="),
    ],
)
def test_a_key_that_is_swept_is_not_set_beside_its_sweep(override: str, swept: str, says: str) -> None:
    value: Any = {"seed": 1, "train": content()["train"]}.get(swept, "cross")
    assert re.search(says, error(content(sweep={swept: [value]}), override))
    assert re.search(says, error(content(sweep=[{"threads": [1]}, {swept: [value]}]), override))
    expand(content(sweep={"seed": [1]}), "file.yaml", ["train.sampling.alpha=0.3"])


def test_a_config_without_what_is_needed() -> None:
    assert "evaluate: this key is needed" in error({"name": "x"})
    assert "name: this key is needed" in error({"evaluate": {"tasks": {"demo": {}}}})


def test_overrides_that_are_none() -> None:
    assert "dotted.key=value" in error(content(), "seed")
    assert "'name' holds a value" in error(content(), "name.deep=3")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", r"c.yaml:1:\d+: not valid YAML"),
        ("name: a\nname: b\n", r"c.yaml:2:1: .*'name' stands twice"),
        ("- a\n", "mapping of keys"),
        ("", "mapping of keys"),
        ("name: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
        ("? [a, b]\n: c\n", "not valid YAML"),
        ("a: &a {b: *a}\n", "aliases are not allowed"),
        ("name: " + "[" * 3000, "nested too deeply"),
    ],
)
def test_files_that_are_no_config(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=says):
        read_config(tmp_path / "c.yaml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: größe".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_config(tmp_path / "latin.yaml")


def frozen(plain: dict[str, Any], folder: Path = ROOT, **overrides: Any) -> list[RunSpec]:
    found: Experiment = expand(plain, "file.yaml", [f"{key}={value}" for key, value in overrides.items()])
    return freeze(found, folder, NOON)


def test_an_arm_is_what_differs_only_in_seed() -> None:
    specs = frozen(content(sweep={"train.sampling.strategy": ["mono", "hybrid"], "seed": [0, 1]}))
    assert len({spec.arm for spec in specs}) == 2
    assert [spec.arm.rsplit("-", 1)[0] for spec in specs] == ["mono", "mono", "hybrid-a50", "hybrid-a50"]
    assert specs[2].run_id.startswith("20261122-1200-hybrid-a50-s0-")
    assert make_run_id(NOON, "x-y", 3, "abcdef") == "20261122-1200-x-y-s3-abcd"
    (base,) = frozen(content())
    for key, value in (("device", "cpu"), ("threads", 3), ("keep", "nothing"), ("seed", 5)):
        assert frozen(content(**{key: value}))[0].arm == base.arm
    for changed in ({"name": "other"}, {"model": {"passage_tokens": 99}}):
        assert frozen(content(**changed))[0].arm != base.arm


def test_the_arm_names_what_else_is_swept() -> None:
    specs = frozen(content(sweep={"train.batch_size": [8, 16]}))
    assert [spec.arm.rsplit("-", 1)[0] for spec in specs] == ["mono-batch_size-8", "mono-batch_size-16"]


def test_where_the_data_lie_does_not_matter_but_what_they_are_does(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / f"{name}.parquet").write_text(text)

    def arm(name: str) -> str:
        train = {"sets": {"mine": {"path": f"{name}.parquet"}}, "steps": 5}
        return frozen(content(train=train), tmp_path)[0].arm

    assert arm("a") == arm("b") != arm("c")
    with pytest.raises(InputError, match=r"train\.sets\.mine\.path.*d\.parquet"):
        arm("d")


def test_a_frozen_run_reads_back_from_yaml() -> None:
    for spec in frozen(content(sweep={"seed": [0, 1]})):
        assert from_plain(RunSpec, yaml.safe_load(yaml.safe_dump(to_plain(spec)))) == spec


def test_from_plain_refuses_unknown_keys() -> None:
    with pytest.raises(TypeError, match="unknown key 'more'"):
        from_plain(RunSpec, {"more": 1})


def test_every_key_has_a_line_of_doc() -> None:
    rows = {row["key"]: row for row in reference()}
    assert all(row["meaning"] for row in rows.values())
    assert rows["train.sampling.strategy"]["type"] == "english | pooled | mono | cross | hybrid | mixed"
    assert rows["train.sets.<name>.path"]["default"] == "none"
    assert rows["name"]["default"] == "needed"
    shares, copies = rows["train.synthetic.shares"], rows["train.synthetic.filter.copies"]
    assert (shares["type"], shares["default"]) == ("number by name", "{}")
    assert (copies["type"], copies["default"]) == ("true | false", "true")


def test_every_config_that_is_shipped_is_sound() -> None:
    configs, claims = config_files(ROOT / "configs"), sorted((ROOT / "configs").rglob("claims/*.yaml"))
    assert len(read_claims(claims)) == 3 and len(configs) > 20 and not set(configs) & set(claims)
    for path in configs:
        assert read_config(path).settings


@pytest.mark.parametrize(
    ("checkpoint", "label"),
    [("builtin", "checkpoint-builtin"), ("a/me5", "checkpoint-me5"), ("runs/mono-s0/model", "checkpoint-mono-s0")],
)
def test_an_evaluated_checkpoint_is_named_after_its_folder(tmp_path: Path, checkpoint: str, label: str) -> None:
    if checkpoint.count("/") > 1:
        (tmp_path / checkpoint).mkdir(parents=True)
        (tmp_path / checkpoint / "config.json").write_text("{}")
    (spec,) = frozen(content(train=None, model={"checkpoint": checkpoint}), tmp_path)
    assert spec.arm.rsplit("-", 1)[0] == label


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[1] / "configs").glob("*.yaml")), ids=lambda f: f.stem)
def test_the_shipped_configs_are_sound(file: Path) -> None:
    experiment = read_config(file)
    assert all(settings.name == file.stem for settings in experiment.settings)
    assert file.read_text().startswith("#")


def test_a_label_names_the_arm_and_is_not_compared() -> None:
    plain, labelled = (frozen(content(**given))[0] for given in ({}, {"label": "hybrid-hs"}))
    assert labelled.arm.rpartition("-")[0] == "hybrid-hs"
    assert labelled.arm.rpartition("-")[2] == plain.arm.rpartition("-")[2]
    assert "-hybrid-hs-s" in labelled.run_id
    for wrong in ("H+S", "../up", "-x", "a" * 41):
        with pytest.raises(InputError, match=r"label: .*use at most 40 lower-case letters"):
            frozen(content(label=wrong))


def test_a_list_of_sweeps_is_one_after_the_other() -> None:
    sweep = [{"train.sampling.strategy": ["mono"], "seed": [1]}, {"train.sampling.strategy": ["cross"], "seed": [0, 1]}]
    found = [(spec.arm.partition("-")[0], spec.settings.seed) for spec in frozen(content(sweep=sweep))]
    assert found == [("mono", 1), ("cross", 0), ("cross", 1)]
    with pytest.raises(InputError, match=r"sweep\.seed: give a list of values, not 3"):
        frozen(content(sweep=[{"seed": 3}]))


def test_a_swept_mapping_stands_not_in_the_name() -> None:
    (spec,) = frozen(content(sweep={"model": [{"checkpoint": "builtin", "builtin": {"dimension": 8}}], "seed": [0]}))
    assert "-model" not in spec.arm and spec.settings.model.builtin.dimension == 8


def test_the_order_of_languages_and_settings_makes_no_other_arm() -> None:
    tasks = [
        {"languages": ["en", "de"], "settings": ["multilingual", "monolingual"], "leave_out": ["en", "de"]},
        {"languages": ["de", "en", "de"], "settings": ["monolingual", "multilingual"], "leave_out": ["de", "en"]},
        {"languages": ["de", "es"], "settings": ["monolingual", "multilingual"], "leave_out": ["de", "en"]},
    ]
    one, same, other = (frozen(content(evaluate={"tasks": {"demo": task}}))[0] for task in tasks)
    assert one.arm == same.arm != other.arm
    assert one.settings.evaluate == same.settings.evaluate


@pytest.mark.parametrize("name", ["mine", "questions", "path", "seed"])
def test_a_task_of_any_name_counts_in_the_arm(tmp_path: Path, name: str) -> None:
    (tmp_path / "en.json").write_text("{}")
    specs = [{"path": ".", "loader": "lareqa", **more} for more in ({}, {"passage_text": "sentence_paragraph"})]
    arms = {frozen(content(evaluate={"tasks": {name: spec}}), tmp_path)[0].arm for spec in specs}
    assert len(arms) == 2


def test_languages_fetched_later_do_not_change_a_run(tmp_path: Path) -> None:
    for name in ("swahili", "thai"):
        folder = tmp_path / "copy" / f"mrtydi-v1.1-{name}"
        folder.mkdir(parents=True)
        (folder / "train.jsonl.gz").write_bytes(b"x")

    def spec(**more: Any) -> RunSpec:
        return frozen(content(train={"sets": {"mr_tydi": more}, "steps": 5}), tmp_path)[0]

    fetch("mr_tydi", ["th"], tmp_path / "copy")
    before = spec()
    assert before.settings.train is not None and before.settings.train.sets["mr_tydi"].languages == ("th",)
    fetch("mr_tydi", ["sw"], tmp_path / "copy")
    assert spec(languages=["th"]).arm == before.arm != spec().arm
    assert spec(languages=["th", "sw"]).arm == spec().arm
