"""What there is to compare."""

from pathlib import Path

import pytest

from tests.analysis.hand import HYBRID, MONO, TASK, make_store
from workbench.errors import InputError
from workbench.reports.arm_choices import (
    arm_listing,
    common_measures,
    fitted_names,
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


LONG = [
    f"{sampling}-learning_rate-3e-05-share-{share}-batch_size-128-warmup-0.1-x"[:60] + f"-{number}aaaaa"
    for number, (sampling, share) in enumerate([("hybrid-a50", "0.5"), ("hybrid-a50", "0.75"), ("hybrid-a50", "1")])
]


def test_long_names_keep_what_tells_them_apart() -> None:
    short = "mono-cccccc"
    assert list(fitted_names([*LONG, short], 18).values()) == [
        "hybrid…share-0.5…",
        "hybrid…share-0.75…",
        "hybrid…share-1…",
        "mono",
    ]
    assert fitted_names(LONG, 80) == short_names(LONG)
    rates = ["mono-learning_rate-3e-05-aaaaaa", "mono-learning_rate-1e-05-bbbbbb"]
    assert list(fitted_names(rates, 18).values()) == ["mono…3e-05", "mono…1e-05"]


@pytest.mark.parametrize("arms", [LONG[:1], ["x" * 60 + "-aaaaaa", "y" * 60 + "-bbbbbb"]], ids=["alone", "one word"])
def test_a_name_without_words_to_leave_out_keeps_its_hash(arms: list[str]) -> None:
    for arm, name in fitted_names(arms, 18).items():
        assert len(name) == 18 and name == f"{arm[:11]}…{arm[-6:]}"


@pytest.mark.parametrize("room", [18, 24, 40, 66])
def test_fitted_names_fit_and_differ(room: int) -> None:
    arms = [*LONG, *(arm.replace("hybrid-a50", "mono").replace("aaaaa", "bbbbb") for arm in LONG), "🦜🦜 parrot-0"]
    names = list(fitted_names(arms, room).values())
    assert len(set(names)) == len(arms) and max(map(len, names)) <= room


def test_both_tables_out_of_the_same_draws(store: Path) -> None:
    both = comparison(store, [MONO, HYBRID])
    assert both.cells == cell_rows(store, [MONO, HYBRID])
    assert str(both.effects) == str(compared(store, [MONO, HYBRID]))
