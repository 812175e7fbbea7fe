"""What a claim's file may say."""

from pathlib import Path

import pytest
import yaml

from workbench.analysis.claims import SHIPPED, read_claims
from workbench.errors import InputError

COMPARISON = {
    "first": {"sampling": "hybrid"},
    "second": {"sampling": "mono"},
    "setting": "monolingual",
    "direction": "higher",
}
SIDES = {"first": {"sampling": "hybrid"}, "second": {"sampling": "mono"}}
OTHERS = {"first": {"label": "a"}, "second": {"label": "b"}}
CLAIM = {"name": "mine", "text": "Hybrid is better.", "source": "me", "comparisons": [COMPARISON]}


def written(tmp_path: Path, **changed: object) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**CLAIM, **changed}))
    return path


def test_the_claims_of_the_package_are_sound_and_said_in_words() -> None:
    claims = read_claims([])
    assert [claim.name for claim in claims] == [
        "best_multilingual",
        "no_worse",
        "every_model",
        "rank_distance",
        "unseen_languages",
        "evenness",
        "no_leakage",
    ]
    assert all(claim.text.endswith(".") and claim.source for claim in claims)
    assert [claim.holds for claim in claims if claim.holds] == ["no_leakage"]
    assert len(list(SHIPPED.glob("*.yaml"))) == len(claims)


def test_a_claim_of_ones_own(tmp_path: Path) -> None:
    (claim,) = read_claims([written(tmp_path, seeds=5, task="tiny")])
    (one,) = claim.comparisons
    assert (claim.seeds, claim.task, one.first.sampling, one.measure, one.ratio) == (5, "tiny", "hybrid", "map", 1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sorce": "me"}, "sorce: unknown key; allowed: name, text, .*did you mean 'source'"),
        ({"comparisons": [{**COMPARISON, "margn": 1}]}, r"comparisons\.0\.margn: unknown key; .*did you mean 'margin'"),
        ({"comparisons": [{**COMPARISON, "first": {"samplin": "mono"}}]}, r"first\.samplin: .*did you mean 'sampling'"),
        ({"comparisons": [{**COMPARISON, "first": {"sampling": "x"}}]}, r"first\.sampling: 'x' is not allowed"),
        ({"comparisons": [{**COMPARISON, "direction": "better"}]}, r"direction: 'better' is not allowed; .*at_least"),
        ({"comparisons": [{**COMPARISON, "measure": "f1"}]}, r"comparisons\.0\.measure: .*'f1'"),
        ({"comparisons": [{**COMPARISON, "measure": "rank_distance"}]}, r"comparisons\.0\.setting: rank_distance"),
        ({"comparisons": [{**COMPARISON, "margin": -1}]}, r"margin: -1"),
        ({"comparisons": [{**COMPARISON, "margin": "__import__('os')"}]}, r"margin: \"__import__"),
        ({"comparisons": [{**COMPARISON, "of": "spread", "ratio": 2}]}, r"ratio: means are multiplied"),
        ({"comparisons": [{**COMPARISON, "second": {"sampling": "hybrid"}}]}, r"second: the same arms as first"),
        ({"comparisons": [{**COMPARISON, "first": {"alpha": [0.6, 0.4]}}]}, r"first\.alpha: \[0\.6, 0\.4\]"),
        ({"comparisons": [{**COMPARISON, "first": {"alpha": [0.6]}}]}, r"first\.alpha: "),
        ({"comparisons": [{**COMPARISON, "within": []}]}, r"within: "),
        ({"comparisons": [{**COMPARISON, "less": {"first": {"label": "a"}}}]}, r"less\.second: this key is needed"),
        ({"comparisons": [{**COMPARISON, "less": SIDES}]}, r"less: the same arms as first and second"),
        (
            {"comparisons": [{**COMPARISON, "less": {"first": {"label": "a"}, "second": {"label": "a"}}}]},
            r"less\.second: the same arms as first",
        ),
        ({"comparisons": [{**COMPARISON, "less": OTHERS, "of": "spread"}]}, r"less: goes with differences of means"),
        ({"comparisons": [{**COMPARISON, "less": OTHERS, "ratio": 0.8}]}, r"less: goes with differences of means"),
        ({"comparisons": []}, "give either comparisons or holds"),
        ({"holds": "no_leakage"}, "give either comparisons or holds"),
        ({"comparisons": [], "holds": "fame"}, "holds: 'fame' is not allowed; allowed: no_leakage"),
        ({"comparisons": [], "holds": "no_leakage", "models": 2}, "leave task and models out"),
        ({"name": "a b"}, "name: 'a b'"),
        ({"seeds": 1}, "seeds: 1"),
        ({"text": None}, "text: None"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=rf"mine\.yaml: {'' if message[0] in '(' else '.*'}{message}"):
        read_claims([written(tmp_path, **changed)])


def test_a_distance_in_ranks_has_no_margin_by_itself(tmp_path: Path) -> None:
    one = {**COMPARISON, "setting": "multilingual", "measure": "rank_distance", "direction": "at_most"}
    with pytest.raises(InputError, match=r"comparisons\.0\.margin: rank_distance is counted in ranks"):
        read_claims([written(tmp_path, comparisons=[one])])
    assert read_claims([written(tmp_path, comparisons=[{**one, "margin": 10}])])


def test_a_file_that_is_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text, message in (
        ("- a", "a claim is a mapping"),
        ("a: [", "not valid YAML"),
        ("a: !!python/name:os 1", "not"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_claims([path])
    with pytest.raises(InputError, match="cannot be read"):
        read_claims([tmp_path / "none.yaml"])


def test_two_claims_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"other\.yaml: name: 'mine' is the name of a claim in .*mine\.yaml too"):
        (tmp_path / "other.yaml").write_text(yaml.safe_dump(CLAIM))
        read_claims([written(tmp_path), tmp_path / "other.yaml"])
