"""Single keys are changed in a YAML text, and what is around them stays."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.tui.yaml_edit import with_key, without_key

TEXT = """\
# About it.
name: a                  # its name
train:
  sets:
    demo: {}             # built in
  # how long
  steps: 200
  sizes: {x: 1, y: 2}
sweep:
  train.steps: [1, 2]
"""
CONTENT = yaml.safe_load(TEXT)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("name",), "b: c", "name: 'b: c'                  # its name"),
        (("train", "steps"), 20, "  steps: 20"),
        (("train", "sets", "demo", "pairs"), 3, "    demo: {pairs: 3}             # built in"),
        (("train", "sizes", "y"), None, "  sizes: {x: 1, y: null}"),
        (("train", "sizes", "z"), "q", "  sizes: {x: 1, y: 2, z: q}"),
        (("train", "sampling", "alpha"), 0.5, "  sampling: {alpha: 0.5}"),
        (("sweep", "train.steps"), [3], "  train.steps: [3]"),
        (("sweep", "seed"), [0, 1], "  seed: [0, 1]"),
        (("seed",), 4, "seed: 4"),
    ],
)
def test_a_key_is_set_in_its_place(path: tuple[str, ...], value: Any, line: str) -> None:
    text, content, lost = with_key(TEXT, CONTENT, path, value)
    assert line in text.splitlines() and yaml.safe_load(text) == content and not lost
    assert text.count("#") == TEXT.count("#")


@pytest.mark.parametrize("path", [("train", "steps"), ("train", "sizes", "x"), ("sweep",), ("name",)])
def test_a_key_is_taken_out(path: tuple[str, ...]) -> None:
    text, content, lost = without_key(TEXT, CONTENT, path)
    assert yaml.safe_load(text) == content and not lost and "# built in" in text


def test_the_last_key_of_a_block_takes_the_comments_with_it() -> None:
    text, content, lost = without_key(TEXT, CONTENT, ("train", "sets", "demo"))
    assert lost and "#" not in text and yaml.safe_load(text) == content and content["train"]["sets"] == {}


def test_a_key_that_is_not_there_is_left_out_already() -> None:
    assert without_key(TEXT, CONTENT, ("train", "epochs")) == (TEXT, CONTENT, False)


KEYS = st.sampled_from(["name", "train", "a", "b.c", "no", "x y"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(content=st.dictionaries(KEYS, VALUES, max_size=4), path=st.lists(KEYS, min_size=1, max_size=3), value=VALUES)
def test_whatever_is_changed_the_text_says_it(content: dict[str, Any], path: list[str], value: Any) -> None:
    for flow in (None, True, False):
        text = yaml.safe_dump(content, default_flow_style=flow, sort_keys=False)
        changed, expected, _ = with_key(text, content, tuple(path), value)
        assert yaml.safe_load(changed) == expected
        removed, expected, _ = without_key(text, content, tuple(path))
        assert yaml.safe_load(removed) == expected
