"""A stored run's config is run again from another folder."""

import shutil
from pathlib import Path

import pytest

from tests.store.synthetic import write_run
from workbench.config import expand, freeze
from workbench.paths import RunsPaths
from workbench.records import (
    CodeSwitchingSpec,
    EvaluateSpec,
    FilterSpec,
    ModelSpec,
    PairSetSpec,
    Plain,
    RunSpec,
    Settings,
    SimilaritySpec,
    SyntheticSpec,
    TaskSpec,
    TrainSpec,
    TranslatorSpec,
    from_plain,
)
from workbench.reports.details import cloned, run_settings
from workbench.reports.rooted import rooted
from workbench.runs.directory import create_run
from workbench.store.database import ingest

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"
SYNTHETIC = SyntheticSpec(
    translator=TranslatorSpec("marian", checkpoint="models/{source}-{target}"),
    code_switching=CodeSwitchingSpec("words"),
    filter=FilterSpec(similarity=SimilaritySpec("models/near")),
)
SETTINGS = Settings(
    name="mine",
    evaluate=EvaluateSpec({"tiny": TaskSpec("lareqa", path="data", questions=("q.jsonl", "/all/q.jsonl"))}),
    model=ModelSpec("models/near"),
    train=TrainSpec({"mine": PairSetSpec(path="~/pairs.jsonl"), "demo": PairSetSpec()}, synthetic=SYNTHETIC),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the run was made."""
    (tmp_path / "made" / "models" / "near").mkdir(parents=True)
    (tmp_path / "made" / "models" / "en-de").mkdir()
    return tmp_path / "made"


def spec_of(folder: Path, settings: Settings = SETTINGS) -> RunSpec:
    return RunSpec(RUN_ID, "mono-1", "", str(folder), {"model.checkpoint": "0"}, settings)


def test_every_path_is_whole_and_what_lies_elsewhere_stays(folder: Path) -> None:
    found = rooted(SETTINGS, spec_of(folder))
    task = found.evaluate.tasks["tiny"]
    assert task.path == f"{folder}/data" and task.questions == (f"{folder}/q.jsonl", "/all/q.jsonl")
    assert found.model.checkpoint == f"{folder}/models/near"
    assert found.train and found.train.sets["mine"].path == "~/pairs.jsonl" and found.train.sets["demo"].path is None
    made = found.train.synthetic
    assert made and made.code_switching and made.code_switching.lexicons == f"{folder}/words"
    assert made.translator and made.translator.checkpoint == f"{folder}/models/{{source}}-{{target}}"
    assert made.filter and made.filter.similarity and made.filter.similarity.checkpoint == f"{folder}/models/near"


def test_names_on_a_hub_and_what_is_built_in_are_no_paths(folder: Path) -> None:
    made = SyntheticSpec(
        translator=TranslatorSpec("marian", checkpoint="Helsinki-NLP/opus-mt-{source}-{target}"),
        code_switching=CodeSwitchingSpec("demo"),
        filter=FilterSpec(similarity=SimilaritySpec("owner/name")),
    )
    settings = Settings(
        name="mine",
        evaluate=EvaluateSpec({"demo": TaskSpec()}),
        train=TrainSpec({"demo": PairSetSpec()}, synthetic=made),
    )
    spec = RunSpec(RUN_ID, "mono-1", "", str(folder), {}, settings)
    assert rooted(settings, spec) == settings
    shutil.rmtree(folder)
    assert rooted(SETTINGS, spec_of(folder)) == SETTINGS, "of another machine"


def test_a_clone_has_whole_paths_only_where_it_was_made_elsewhere(folder: Path, tmp_path: Path) -> None:
    runs, store = RunsPaths(tmp_path / "runs"), tmp_path / "results.duckdb"
    settings = Settings(name="mine", evaluate=EvaluateSpec({"tiny": TaskSpec("lareqa", path="data")}))
    run = write_run(runs.root, RUN_ID, settings=settings)
    run.config.write_text(run.config.read_text().replace("/somewhere", str(folder)))
    ingest(store, run)

    def path_of(config: Plain) -> str | None:
        return from_plain(Settings, config).evaluate.tasks["tiny"].path

    for _ in range(2):
        assert path_of(run_settings(store, runs, RUN_ID)) == path_of(cloned(store, runs, RUN_ID, folder)) == "data"
        assert path_of(cloned(store, runs, RUN_ID, tmp_path)) == f"{folder}/data"
        shutil.rmtree(runs.root, ignore_errors=True)  # the store tells the same


@pytest.mark.parametrize(
    ("key", "values"),
    [("train.learning_rate", [0.001, 0.002]), ("train.warmup", [0, 0.5]), ("train.warmup", [0.0])],
)
def test_a_clone_is_of_the_arm_that_its_run_is_of(tmp_path: Path, key: str, values: list[float]) -> None:
    content = {
        "name": "mine",
        "evaluate": {"tasks": {"demo": {}}},
        "train": {"sets": {"demo": {}}, "steps": 2},
        "sweep": {key: values, "train.sampling.strategy": ["mono", "hybrid"]},
    }
    runs = RunsPaths(tmp_path / "runs")
    for spec in freeze(expand(content, "x"), tmp_path):
        run = create_run(runs, spec)
        config = cloned(tmp_path / "none.duckdb", runs, run.run_id, tmp_path)
        (again,) = freeze(expand({**config, "seed": 7}, "x"), tmp_path)
        assert again.arm == spec.arm
