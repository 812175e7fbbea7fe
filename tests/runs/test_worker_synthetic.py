"""The real worker process with synthetic texts: what it draws is what the settings ask for, stopped and resumed."""

import json
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.runs.test_worker import LIMIT_S, prepared, results, start, step, when, work
from tests.synthesis.test_making import demo, synthetic
from workbench.paths import RunPaths, RunsPaths
from workbench.records import CodeSwitchingSpec, SyntheticSpec
from workbench.runs.directory import state_of
from workbench.runs.events import read_events
from workbench.store.database import ingest_pending, query
from workbench.synthesis.made import write_training_set

SWITCHED = (
    "train.synthetic.code_switching={lexicons: demo, p: 1}",
    "train.synthetic.share=0.5",
    "train.sampling.strategy=hybrid",
    "evaluate.tasks.demo.languages=[de, en]",
)


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    """A run with code-switched texts that nobody disturbed."""
    run = prepared(tmp_path_factory.mktemp("runs"), *SWITCHED)
    assert work(run) == 0, run.log.read_text()
    return run


def rows(store: Path, statement: str) -> list[tuple[Any, ...]]:
    return query(store, statement).rows


def test_the_store_says_what_was_synthetic(switched: RunPaths, tmp_path: Path) -> None:
    store = tmp_path / "results.duckdb"
    ingest_pending(store, RunsPaths(switched.root.parent))
    drawn = dict(rows(store, "select kind, sum(pairs) from sampled_pairs group by all"))
    made = dict(rows(store, "select kind, sum(pairs) from synthetic_pairs group by all"))
    assert sum(drawn.values()) == 60 * 16 and set(drawn) == {"mono", "cross"}
    # English has no synthetic texts: a mono batch in German or Russian has more of them
    for kind in drawn:
        assert abs(made[kind] / drawn[kind] - 0.5) < 0.15, (kind, made, drawn)
    assert rows(
        store,
        """select count(*) from synthetic_pairs s join sampled_pairs p
           using (run_id, training_set, kind, query_language, passage_language) where s.pairs > p.pairs
           or (query_made_by is null and passage_made_by is null) or 'en' in (
               case when query_made_by is not null then query_language end,
               case when passage_made_by is not null then passage_language end)""",
    ) == [(0,)]
    for side in ("query", "passage"):
        makers = {maker for (maker,) in rows(store, f"select {side}_made_by from synthetic_pairs")}
        assert makers == {"code-switching, p 1", None}
    texts = rows(store, "select training_set, language, made_by, made, kept, details from synthetic_texts order by all")
    assert [row[:3] for row in texts] == [("demo", its, "code-switching, p 1") for its in ("de", "ru")]
    for *_, made_pairs, kept, details in texts:
        assert made_pairs == kept == json.loads(details)["switched"]["switched_pairs"] > 300
    (by_details,) = rows(store, "select min((details->'$.switched.switch_rate')::double) from synthetic_texts")
    assert by_details[0] > 0.1


def test_it_says_so_in_its_events(switched: RunPaths) -> None:
    (said,) = [event["message"] for event in read_events(switched.events) if event["kind"] == "synthetic"]
    assert said.startswith("demo: pairs by code-switching, p 1: de ")
    assert "synthesis" in json.loads(switched.environment.read_text())["seconds"]
    counted = [event["counts"] for event in read_events(switched.events) if event["kind"] == "sampled"]
    assert all(0 < row["synthetic"] < sum(row["pairs"].values()) for row in counted[-1])


def test_stopped_and_resumed_it_reaches_the_same_bit_for_bit(switched: RunPaths, tmp_path: Path) -> None:
    run = prepared(tmp_path, *SWITCHED)
    assert when(run, step(33), signal.SIGTERM) == 130
    assert state_of(run) == "stopped"
    assert work(run) == 0, run.log.read_text()
    assert results(run) == results(switched)
    measured = [
        {e["step"]: e["loss"] for e in read_events(r.events) if e["kind"] == "validation"} for r in (run, switched)
    ]
    assert measured[0] == measured[1] and set(measured[0]) == {25, 50, 60}


def test_a_file_that_holds_synthetic_pairs(tmp_path: Path) -> None:
    spec = SyntheticSpec(code_switching=CodeSwitchingSpec("demo", p=1.0), languages=("ru",))
    (pairs,), accounts, _ = synthetic([demo(150, ("de", "en"))], spec)
    write_training_set(tmp_path / "pairs.parquet", pairs, accounts, "en")
    given = (
        f"train.sets={{mine: {{path: {tmp_path / 'pairs.parquet'}}}}}",
        "train.steps=40",
        "train.validation.pairs=0",
        "evaluate.tasks.demo.languages=[de, en]",
        "train.sampling.strategy=mono",
    )
    # without a share each language comes as often, and Russian is there in synthetic texts alone
    expected = {"plain": 1 / 3, "half": 0.5}
    runs = {
        "plain": prepared(tmp_path / "plain", *given),
        "half": prepared(tmp_path / "half", *given, "train.synthetic={share: 0.5}"),
    }
    workers = {name: start(run) for name, run in runs.items()}
    for name, run in runs.items():
        assert workers[name].wait(LIMIT_S) == 0, run.log.read_text()
        (texts,) = pq.read_table(run.results / "synthetic_texts.parquet").to_pylist()
        made_by = {"training_set": "mine", "language": "ru", "made_by": "code-switching, p 1"}
        assert texts == {**made_by, "made": None, "kept": int(pairs.has[:, 2].sum()), "details": "{}"}
        drawn = pq.read_table(run.results / "sampled_pairs.parquet").to_pylist()
        made = pq.read_table(run.results / "synthetic_pairs.parquet").to_pylist()
        assert {(row["query_language"], row["passage_language"], row["query_made_by"]) for row in made} == {
            ("ru", "ru", "code-switching, p 1")
        }
        part = sum(row["pairs"] for row in made) / sum(row["pairs"] for row in drawn)
        assert abs(part - expected[name]) < 0.25
