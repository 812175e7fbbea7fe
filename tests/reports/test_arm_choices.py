"""What there is to compare."""

from pathlib import Path

import pytest

from tests.analysis.hand import HYBRID, MONO, TASK, make_store
from workbench.errors import InputError
from workbench.reports.arm_choices import (
    arm_listing,
    common_measures,
    setting_means,
    short_names,
    untrained_languages,
)
from workbench.reports.comparisons import cell_rows, compared, comparison


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def test_arms_and_what_they_have_in_common(store: Path) -> None:
    listed = arm_listing(store)
    assert [(row["arm"], row["seeds"], row["sampling"], row["tasks"]) for row in listed] == [
        (MONO, 2, "mono", TASK),
        (HYBRID, 2, "hybrid", TASK),
    ]
    measures = common_measures(store, [MONO, HYBRID])
    assert list(measures) == [TASK] and {"map", "recall@10", "rank_distance"} <= set(measures[TASK])
    assert "own_language_first" not in measures[TASK]  # no value per query to test
    assert common_measures(store, [MONO, "nobody"]) == {}


def test_means_over_seeds(store: Path) -> None:
    rows = setting_means(store, [HYBRID, MONO], TASK, "map")
    settings = ["monolingual", "cross_lingual", "multilingual"]
    assert [(row["arm"], row["setting"]) for row in rows] == [(arm, s) for arm in (HYBRID, MONO) for s in settings]
    assert all(row["n"] == 2 and row["sd"] is not None for row in rows)
    with pytest.raises(InputError, match="no finished run"):
        setting_means(store, ["nobody"], TASK, "map")


def test_languages_that_no_pair_was_in(store: Path) -> None:
    assert untrained_languages(store, [MONO, HYBRID], TASK) == {MONO: {"zh"}, HYBRID: {"zh"}}


def test_names_are_short_where_they_stay_apart() -> None:
    assert short_names(["mono-aaaaaa", "hybrid-a50-bbbbbb"]) == {
        "mono-aaaaaa": "mono",
        "hybrid-a50-bbbbbb": "hybrid-a50",
    }
    alike = ["mono-aaaaaa", "mono-bbbbbb"]
    assert short_names(alike) == dict(zip(alike, alike, strict=True))


def test_both_tables_out_of_the_same_draws(store: Path) -> None:
    both = comparison(store, [MONO, HYBRID])
    assert both.cells == cell_rows(store, [MONO, HYBRID])
    assert str(both.effects) == str(compared(store, [MONO, HYBRID]))
