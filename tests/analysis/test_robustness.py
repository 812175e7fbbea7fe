"""Robustness over pairs, worked out by hand on the case of `hand`."""

from pathlib import Path
from statistics import stdev

import numpy as np
import pytest

from tests.analysis.hand import HYBRID, MONO, make_store
from tests.analysis.made import make_sample, worst_tenth
from tests.store.synthetic import Tiny, make_settings, write_run
from tests.store.test_views import measured
from workbench.analysis.robustness import RobustnessFigure, arm_figures, robustness
from workbench.errors import InputError
from workbench.store.database import ingest

CELLS = (
    {"de > en": 0.6875, "de > zh": 0.2875, "en > de": 0.6875, "en > zh": 0.45, "zh > de": 0.35, "zh > en": 0.5875},
    {"de > en": 0.8125, "de > zh": 0.3625, "en > de": 0.875, "en > zh": 0.2625, "zh > de": 0.425, "zh > en": 0.6875},
)
"""The mono arm's map by seed: de to en is (1/2 + 1 + 1 + 1/4) / 4 in the first, (1 + 1 + 1 + 1/4) / 4 in the other."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


@pytest.fixture(scope="module")
def rows(store: Path) -> dict[tuple[str, str, str], RobustnessFigure]:
    found = robustness(store, [MONO, HYBRID])
    return {(row.figure_name, row.setting, row.group): row for row in found if row.arm == MONO}


def test_spread_and_worst_pair_by_hand(rows: dict[tuple[str, str, str], RobustnessFigure]) -> None:
    mean = rows["mean", "cross_lingual", ""]
    assert mean.figure.value == pytest.approx(np.mean([list(cells.values()) for cells in CELLS])) and mean.cells == 6
    spread = rows["spread", "cross_lingual", ""].figure
    assert spread.value == pytest.approx((stdev(CELLS[0].values()) + stdev(CELLS[1].values())) / 2)
    assert 0 <= spread.low <= spread.value <= spread.high and spread.about == "samplings"
    assert rows["worst pair", "cross_lingual", "de > zh"].figure.value == pytest.approx((0.2875 + 0.3625) / 2)
    assert ("worst tenth", "cross_lingual", "") not in rows  # of six cells there is none


def test_kinds_of_pairs_by_hand(rows: dict[tuple[str, str, str], RobustnessFigure]) -> None:
    near = (0.6875 + 0.6875 + 0.8125 + 0.875) / 4
    to_zh, from_zh = (0.2875 + 0.45 + 0.3625 + 0.2625) / 4, (0.35 + 0.5875 + 0.425 + 0.6875) / 4
    for name, (one, other) in {"script": ("Latn", "Hani"), "family": ("Indo-European", "Sino-Tibetan")}.items():
        assert rows[name, "cross_lingual", f"{one} > {one}"].figure.value == pytest.approx(near)
        assert rows[name, "cross_lingual", f"{one} > {other}"].figure.value == pytest.approx(to_zh)
        assert rows[name, "cross_lingual", f"{other} > {one}"].figure.value == pytest.approx(from_zh)
    # no training pair is in zh
    assert rows["training", "cross_lingual", "seen"].figure.value == pytest.approx(near)
    assert rows["training", "cross_lingual", "passage unseen"].figure.value == pytest.approx(to_zh)
    assert rows["training", "cross_lingual", "query unseen"].figure.value == pytest.approx(from_zh)
    assert [rows["training", "monolingual", kind].cells for kind in ("seen", "unseen")] == [2, 1]


def test_the_worst_tenth_is_measured_on_other_questions() -> None:
    values = np.random.default_rng(0).normal(size=(40, 2, 20, 1))
    sample = make_sample(40, 20, 2, {"a": values})
    figures = {name: (figure, cells) for name, *_, figure, cells in arm_figures(sample, sample.arms[0].values, (), ())}
    figure, cells = figures["worst tenth"]
    assert figure.value == pytest.approx(worst_tenth(sample, values.ravel())) and cells == 2
    assert figure.low < figure.value < figure.high and figure.about == "questions only, one seed"


def test_languages_left_out_and_arms_without_training(tmp_path: Path) -> None:
    store, results = tmp_path / "results.duckdb", measured(Tiny(), found=1.0)
    results.tasks[0]["options"] = {"leave_out": ["zh"]}
    settings = make_settings(None)
    ingest(store, write_run(tmp_path / "runs", results=results, settings=settings, arm="untrained"))
    found = robustness(store, ["untrained"])
    assert {row.figure_name for row in found} == {"mean", "spread", "worst pair", "script", "family"}
    assert found[0].cells == 2 and not any("zh" in row.group for row in found)


def test_what_has_no_robustness_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="better where it is higher"):
        robustness(store, [MONO], measure="rank_distance")
    results, other = measured(Tiny(), found=1.0), tmp_path / "results.duckdb"
    results.tables["relevant_ranks"] = [r for r in results.tables["relevant_ranks"] if r["pool_language"] == "*"]
    results.tables["measurements"] = [r for r in results.tables["measurements"] if r["pool_language"] == "*"]
    ingest(other, write_run(tmp_path / "runs", results=results))
    with pytest.raises(InputError, match="tiny: it has no cross-lingual cells"):
        robustness(other, ["hybrid-a50-1c9e07"])
