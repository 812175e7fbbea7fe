"""Claims as rows and tables, the plan of missing runs, and published figures."""

import json
import re
from pathlib import Path

import duckdb
import pytest

from tests.analysis.claimed import Arm, level, make_store
from workbench.analysis.claims import SHIPPED
from workbench.config import freeze, read_config
from workbench.errors import InputError
from workbench.reports.claim_plan import claim_plan
from workbench.reports.claim_words import claim_in_words
from workbench.reports.claims import claim_rows, print_claims, told_apart
from workbench.reports.published import published_beside
from workbench.reports.tables import as_json, shown
from workbench.store.connection import create
from workbench.store.database import query

HYBRID = Arm("hybrid", level(0.8, 0.7, 0.9), far=8)
MONO = Arm("mono", level(0.8, 0.4, 0.3), seeds=(0, 1))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("claims"), [HYBRID, MONO])


def test_rows_and_what_is_printed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = claim_rows(store)
    assert len(json.loads(as_json(rows))) == len(rows) == 7
    distance = next(row for row in rows if row["claim"] == "rank_distance")
    assert distance["verdict"] == "supported" and distance["seeds"] == 2 and len(distance["evidence"]) == 1
    (mono,) = {one["second"] for one in distance["evidence"]}
    assert distance["missing"] == [f"mono, builtin, of {mono}, seed 2"] and distance["ended_arms"] == []
    held = {(row["model"], row["task"]): row["holds"] for row in distance["published"]}
    assert held == {
        ("xlm-r", "xquad_r"): True,
        ("labse", "xquad_r"): False,
        ("xlm-r", "mlqa_r"): True,
        ("labse", "mlqa_r"): False,
    }
    print_claims(rows)
    out = capsys.readouterr().out
    assert "rank_distance: Hybrid batches have a far smaller rank distance than mono. (arXiv 2408.10536)" in out
    assert "missing: cross, builtin, seed 0 1 2" in out and "for these checkpoints" not in out
    verdicts, evidence = out.split("what the verdicts")
    assert "\npublished: how many of the printed figures" in verdicts and "<.0001" in verdicts and "e-" not in verdicts
    (head,) = [line for line in evidence.splitlines() if line.startswith("claim ")]
    assert head.endswith("says"), "what is long stands last"
    (line,) = [line.split() for line in evidence.splitlines() if line.startswith("rank_distance  ")]
    assert "ratio x second" in evidence and shown(0.8 * distance["evidence"][0]["second_value"]) in line


def test_one_seed_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = make_store(tmp_path, [Arm(arm.sampling, arm.quality, (0,), far=arm.far) for arm in (HYBRID, MONO)])
    rows = claim_rows(one, [SHIPPED / "4_rank_distance.yaml"])
    assert [row["about"] for row in rows] == ["questions only, one seed"]
    print_claims(rows)
    out = capsys.readouterr().out
    assert "supported for these checkpoints*" in out and "* questions only, one seed" in out


def test_rows_of_one_claim_are_told_apart_by_their_arms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two groups of arms, tested or not, and what they lack."""
    rates = (1e-4, 3e-3)
    arms = [
        Arm(sampling, level(0.5, 0.5, 0.5), rate=rate, swept={"train.learning_rate": rate})
        for rate in rates
        for sampling in ("hybrid", "mono")
    ]
    files = [SHIPPED / "1_best_multilingual.yaml", SHIPPED / "4_rank_distance.yaml"]
    rows = claim_rows(make_store(tmp_path, arms), files)
    assert [row["verdict"] == "not testable yet" for row in rows] == [True, True, False, False]
    names = told_apart(rows)
    assert names == [row["arms"][0] for row in rows] and len(set(names[:2])) == 2 and names[:2] == names[2:]
    assert all(name.startswith("hybrid-a50-learning_rate-0.") for name in names)
    print_claims(rows)
    lines = capsys.readouterr().out.splitlines()
    for row, name in zip(rows, names, strict=True):
        assert any(line.startswith(f"{row['claim']}  ") and name in line and row["verdict"] in line for line in lines)
    assert f"best_multilingual tiny ({names[0]}): {rows[0]['reason']}" in lines
    # with one group there is nothing to tell apart
    print_claims([rows[0], rows[2]])
    assert "arms" not in capsys.readouterr().out.split("what the verdicts")[0].split("\n\n")[1]


def test_arms_that_tell_rows_apart_are_as_few_as_it_takes() -> None:
    def row(claim: str, *arms: str) -> dict[str, object]:
        return {"claim": claim, "task": "t", "arms": list(arms)}

    rows = [row("a", "x", "y"), row("a", "x", "z"), row("b", "x", "y"), row("c"), row("d", "x"), row("d", "x")]
    assert told_apart(rows) == ["x, y", "x, z", "x", "", "x", "x"]
    assert told_apart([]) == []


def test_the_plan_holds_the_missing_runs_and_nothing_else(store: Path, tmp_path: Path) -> None:
    plan = tmp_path / "missing.yaml"
    plan.write_text(claim_plan(store) or "")
    specs = freeze(read_config(plan), tmp_path)
    arms = {arm for (arm,) in query(store, "select distinct arm from runs").rows}
    mono = next(arm for arm in arms if arm.startswith("mono"))
    found = [(spec.arm, spec.settings.seed) for spec in specs]
    # the third seed belongs to the arm that is there, the others are a new one
    assert (mono, 2) in found
    new = {arm for arm, _ in found} - arms
    assert sorted(found) == sorted([(mono, 2), *((arm, seed) for arm in new for seed in range(3))])
    assert len(new) == 1 and new.pop().startswith("cross-")
    assert "# Not in it: the same arms from 1 further starting model(s)" in plan.read_text()


def test_a_plan_for_arms_that_differ_in_more_than_their_sampling(tmp_path: Path) -> None:
    swept = {"train.learning_rate": 1e-4}
    arms = [
        Arm("mono", level(0.5, 0.5, 0.5), rate=1e-4, swept=swept),
        Arm("hybrid", level(0.5, 0.5, 0.5), rate=3e-3, alpha=0.6, swept={"train.learning_rate": 3e-3}),
    ]
    made = make_store(tmp_path, arms)
    plan = tmp_path / "missing.yaml"
    plan.write_text(claim_plan(made, [SHIPPED / "4_rank_distance.yaml"]) or "")
    specs = freeze(read_config(plan), tmp_path)
    found = {(spec.arm.rsplit("-", 1)[0], spec.settings.train.learning_rate) for spec in specs}  # type: ignore[union-attr]
    assert found == {("hybrid-a50-learning_rate-0.0001", 1e-4), ("mono-learning_rate-0.003", 3e-3)}
    assert len(specs) == 6


def test_a_plan_keeps_the_label_of_an_arm_and_gives_it_to_no_other(tmp_path: Path) -> None:
    arms = [Arm("hybrid", HYBRID.quality, label="ours"), Arm("mono", MONO.quality, (0, 1), label="baseline")]
    made = make_store(tmp_path, arms)
    plan = tmp_path / "missing.yaml"
    plan.write_text(claim_plan(made) or "")
    found = [(spec.arm, spec.settings.seed) for spec in freeze(read_config(plan), tmp_path)]
    stored = {arm for (arm,) in query(made, "select distinct arm from runs").rows}
    assert [one for one in found if one[0] in stored] == [(next(arm for arm in stored if "baseline" in arm), 2)]
    assert [(arm.split("-")[0], seed) for arm, seed in found if arm not in stored] == [("cross", s) for s in range(3)]


def test_nothing_missing_is_no_plan(tmp_path: Path) -> None:
    whole = make_store(tmp_path, [HYBRID, Arm("mono", MONO.quality)])
    assert claim_plan(whole, [SHIPPED / "4_rank_distance.yaml"]) is None


def test_a_store_without_trained_arms(tmp_path: Path) -> None:
    empty = tmp_path / "empty.duckdb"
    create(empty)
    rows = claim_rows(empty)
    assert {row["verdict"] for row in rows} == {"not testable yet"}
    with pytest.raises(InputError, match=r"empty\.duckdb: no arm has been trained: the runs of any config"):
        claim_plan(empty)


def test_an_arm_that_an_earlier_version_made_gets_no_further_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_store(tmp_path, [MONO, Arm("hybrid", HYBRID.quality, (0, 1), far=8)])
    with duckdb.connect(str(old)) as connection:
        sql = "select run_id, config from stored.runs where sampling = 'mono'"
        for run_id, config in connection.execute(sql).fetchall():
            plain = json.loads(config)
            del plain["settings"]["train"]["on_leak"], plain["settings"]["evaluate"]["tasks"]["tiny"]["depth"]
            connection.execute(
                "update stored.runs set config = ?, arm = 'mono-0ldc0d' where run_id = ?", [json.dumps(plain), run_id]
            )
    claim = [SHIPPED / "4_rank_distance.yaml"]
    (row,) = claim_rows(old, claim)
    lacks = ["evaluate.tasks.tiny.depth", "train.on_leak"]
    assert row["ended_arms"] == [{"arm": "mono-0ldc0d", "unknown_keys": lacks}]
    # one further seed of the hybrid arm, all of the other
    assert [one.split(", of ")[0] for one in row["missing"][:1]] == ["hybrid alpha 0.5, builtin"]
    assert row["missing"][1:] == [f"mono, builtin, seed {seed}" for seed in range(3)]
    print_claims([row])
    said = f"mono-0ldc0d: no further seeds, as an earlier version made it; .*config lacks: {', '.join(lacks)}\n"
    assert re.search(said, capsys.readouterr().out)
    assert re.search(said, f"{claim_in_words(row)}\n".partition("What is missing")[2])
    assert re.search(f"# {said}", claim_plan(old, claim) or "")


# ------------------------------------------------------------------------------------------------- published figures


def mean_of(store: Path, *names: str) -> float:
    sql = """
        select avg(value) from published_measurements where model = ? and sampling = ? and task = ? and setting = ?
            and measure = ? and query_language <> 'mean'
    """
    return float(query(store, sql, names).rows[0][0])


def test_the_figures_of_the_method(tmp_path: Path) -> None:
    made = tmp_path / "published.duckdb"
    create(made)
    assert query(made, "select count(*) from published_measurements").rows == [(1040,)]
    names = query(made, "select distinct sampling from published_measurements order by all").rows
    assert [name for (name,) in names] == ["cross", "english", "hybrid", "mono", "pooled"]
    tasks = query(made, "select distinct task from published_measurements order by all").rows
    assert tasks == [("miracl",), ("mlqa_r",), ("xquad_r",)]
    for sampling, figure in (("cross", 0.5934), ("hybrid", 0.5927)):
        figures = mean_of(made, "xlm-r", sampling, "xquad_r", "multilingual", "map")
        assert figures == pytest.approx(figure, abs=1e-4)
    for sampling, figure in (("cross", 226.7), ("hybrid", 227.1)):
        figures = mean_of(made, "xlm-r", sampling, "mlqa_r", "multilingual", "rank_distance")
        assert figures == pytest.approx(figure, abs=0.05)
    for sampling, figure in (("mono", 0.4148), ("hybrid", 0.4054)):
        figures = mean_of(made, "xlm-r", sampling, "miracl", "monolingual", "ndcg@10")
        assert figures == pytest.approx(figure, abs=1e-4)


def test_the_printed_means_are_those_of_the_languages(tmp_path: Path) -> None:
    made = tmp_path / "published.duckdb"
    create(made)
    odd = query(
        made,
        """
        select model, task, setting, measure, sampling, avg(value) filter (query_language <> 'mean') as mean,
            any_value(value) filter (query_language = 'mean') as printed
        from published_measurements where arxiv_id = '2408.10536'
        group by all having abs(mean - printed) > if(measure = 'rank_distance', 0.051, 0.000051)
        """,
    ).rows
    assert odd == []


def test_published_figures_beside_ones_own(store: Path) -> None:
    rows = published_beside(store, "xquad_r", "multilingual", "map")
    assert [(row["model"], row["sampling"], row["value"]) for row in rows[:3]] == [
        ("xlm-r", "mono", 0.5479),
        ("xlm-r", "cross", 0.5934),
        ("xlm-r", "hybrid", 0.5927),
    ]
    assert len(rows) == 6 and all("one seed" in row["differs"] for row in rows)
    (vietnamese, *_) = published_beside(store, "xquad_r", "multilingual", "map", query_language="vi")
    assert vietnamese["query_language"] == "vi"
    assert published_beside(store, "tiny", "multilingual", "map") == []
    assert {row["model"] for row in published_beside(store, "xquad_r", "multilingual", "map@20")} == {"mbert"}
    assert {row["task"] for row in published_beside(store, "miracl_sw", "monolingual", "ndcg@10")} == {"miracl"}


def test_what_differs_is_said(tmp_path: Path) -> None:
    from tests.store.synthetic import Tiny

    task = Tiny("xquad_r", "0123456789ab", ("en", "th"), questions=4)
    made = make_store(tmp_path, [Arm("mono", level(0.5, 0.5, 0.5), seeds=(0,))], task)
    (arm,) = query(made, "select arm from runs").rows[0]
    first = published_beside(made, "xquad_r", "multilingual", "map", [arm])[0]
    assert first["differs"] == [
        "model: xlm-r, not builtin",
        "training data: question-answer sets translated by machine, mMARCO for the most part",
        "pool: en th, not ar de el en es hi ru th tr vi zh",
        "passage text: here sentence, there not stated",
        "one seed",
    ]
    # LAReQA's passages are sentence and paragraph
    assert published_beside(made, "xquad_r", "multilingual", "map@20", [arm]) == []
