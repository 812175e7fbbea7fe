"""Keys of synthetic data in a config: which go together, and what makes an arm."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.test_config import content, error
from workbench.config import expand, freeze, read_config
from workbench.errors import InputError
from workbench.records import CorruptionSpec, FilterSpec, RunSpec, SyntheticSpec

ROOT = Path(__file__).parents[1]
SWITCHED = {"code_switching": {"lexicons": "demo"}}


def config(**synthetic: Any) -> dict[str, Any]:
    train = {"sets": {"demo": {}}, "steps": 10, "sampling": {"strategy": "mono"}, "synthetic": synthetic}
    return content(train=train)


def frozen(plain: dict[str, Any], folder: Path, *overrides: str) -> list[RunSpec]:
    return freeze(expand(plain, "file.yaml", overrides), folder)


def test_an_empty_mapping_means_all_defaults() -> None:
    (settings,) = expand(config(filter={}), "file.yaml").settings
    assert settings.train is not None
    assert settings.train.synthetic == SyntheticSpec(filter=FilterSpec(), corruption=CorruptionSpec())
    (settings,) = expand(content(), "file.yaml").settings
    assert settings.train is not None and settings.train.synthetic is None


MT = {"kind": "command", "command": "cat"}


@pytest.mark.parametrize(
    ("synthetic", "says"),
    [
        ({**SWITCHED, "translator": MT}, "train.synthetic: translator and code_switching are both given; allowed: one"),
        ({"share": 0.5, "shares": {"de": 0.1}}, "train.synthetic: share and shares are both given"),
        ({"shares": {"de": 1.5}}, "train.synthetic.shares.de: 1.5; allowed: 0 to 1"),
        ({"shares": {"german": 0.5}}, "train.synthetic.shares: 'german' is no .*did you mean 'de'"),
        ({"share": 1.5}, "train.synthetic.share: 1.5"),
        ({"share": -0.1}, "train.synthetic.share: -0.1"),
        ({**SWITCHED, "sets": ["dmeo"]}, "train.synthetic.sets: 'dmeo'; allowed: demo; did you mean 'demo'"),
        ({**SWITCHED, "source": "english"}, "train.synthetic.source: 'english' is no .*did you mean 'en'"),
        ({**SWITCHED, "languages": ["de", "jp"]}, "train.synthetic.languages: 'jp' is no .*did you mean 'ja'"),
        ({**SWITCHED, "languages": ["en"]}, "train.synthetic.languages: 'en' is what they are made from"),
        ({**SWITCHED, "languages": []}, "train.synthetic.languages"),
        ({"languages": ["de"]}, "train.synthetic.languages: are those to make texts in; allowed: with translator or"),
        ({"code_switching": {"lexicons": "demo", "p": 2}}, "train.synthetic.code_switching.p: 2"),
        ({"code_switching": {"p": 0.5}}, "train.synthetic.code_switching.lexicons"),
        ({"code_switching": {"lexicons": "demo", "sides": "all"}}, "sides: 'all' is not allowed; allowed: both, query"),
        (
            {"code_switching": {"lexicons": "demo", "mode": "multilingual", "sides": "query"}},
            "train.synthetic.code_switching.sides: 'query' with mode: multilingual; allowed: both",
        ),
        ({"translator": {"kind": "nlb"}}, "train.synthetic.translator.kind: 'nlb' is not .*did you mean 'nllb'"),
        ({"translator": {"kind": "command"}}, "train.synthetic.translator.command: is needed for kind: command"),
        ({"translator": {"kind": "nllb", "command": "cat"}}, "translator.command: is for kind: command alone"),
        ({"translator": {**MT, "beams": 5}}, "translator.beams: a program has no such option"),
        ({"translator": {**MT, "checkpoint": "a/b"}}, "translator.checkpoint: a program has no such option"),
        ({"translator": {"kind": "nllb", "version": "2"}}, "translator.version: is that of a command"),
        ({"filter": {"similarity": {"checkpoint": "a/b"}}}, "filter.similarity: give either threshold or top_share"),
        (
            {"filter": {"similarity": {"checkpoint": "a/b", "threshold": 0.5, "top_share": 0.5}}},
            "filter.similarity: give either threshold or top_share",
        ),
        ({"filter": {"length_ratio": 1}}, "train.synthetic.filter.length_ratio: 1"),
        ({"corruption": {"shufle": 0.5}}, "train.synthetic.corruption.shufle: unknown key.*did you mean 'shuffle'"),
        ({"corruption": {"shuffle": 5}}, "train.synthetic.corruption.shuffle: 5"),
        ({"seed": -1}, "train.synthetic.seed: -1"),
    ],
)
def test_wrong_keys_are_named(synthetic: dict[str, Any], says: str) -> None:
    said = error(config(**synthetic))
    assert re.search(says, said) and said.startswith("file.yaml: ") and "\n" not in said


def test_a_share_is_an_arm(tmp_path: Path) -> None:
    swept = {**config(**SWITCHED), "sweep": {"train.synthetic.share": [0, 0.25, 1], "seed": [0, 1]}}
    specs = frozen(swept, tmp_path)
    arms = {spec.settings.train.synthetic.share: spec.arm for spec in specs if spec.settings.train.synthetic}  # type: ignore[union-attr]
    assert len(specs) == 6 and len({spec.arm for spec in specs}) == 3
    for share, arm in arms.items():
        assert re.fullmatch(rf"mono-share-{re.escape(f'{share:g}')}-[0-9a-f]{{6}}", arm), arm
    # none given is an arm of its own, and so is another seed of what is drawn
    others = [frozen(config(**more), tmp_path)[0].arm for more in (SWITCHED, {**SWITCHED, "seed": 1}, {})]
    assert len({*others, *arms.values(), frozen(content(), tmp_path)[0].arm}) == 7


def write_lexicon(folder: Path, line: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "en-de.txt").write_text(line)


def test_lexicons_count_by_their_content_wherever_they_are(tmp_path: Path) -> None:
    key = "train.synthetic.code_switching.lexicons"
    for name in ("here", "there"):
        write_lexicon(tmp_path / name, "city\tStadt\n")
    (one,), (other,) = (
        frozen(config(code_switching={"lexicons": str(place)}), tmp_path) for place in ("here", tmp_path / "there")
    )
    assert one.arm == other.arm and one.fingerprints[key] == other.fingerprints[key]
    write_lexicon(tmp_path / "here", "city\tOrt\n")
    (changed,) = frozen(config(code_switching={"lexicons": "here"}), tmp_path)
    assert changed.arm != one.arm and changed.arm.rpartition("-")[0] == one.arm.rpartition("-")[0]
    (demo,) = frozen(config(**SWITCHED), tmp_path)
    assert key not in demo.fingerprints and demo.arm not in (one.arm, changed.arm)


@pytest.mark.parametrize("key", ["translator.checkpoint", "filter.similarity.checkpoint"])
def test_local_checkpoints_count_by_their_content(tmp_path: Path, key: str) -> None:
    def spec(checkpoint: str) -> RunSpec:
        record = (
            {"translator": {"kind": "nllb", "checkpoint": checkpoint}}
            if key.startswith("translator")
            else {**SWITCHED, "filter": {"similarity": {"checkpoint": checkpoint, "threshold": 0.5}}}
        )
        return frozen(config(**record), tmp_path)[0]

    write_lexicon(tmp_path / "one", "some weights")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert spec("one").arm == spec("./two").arm
    write_lexicon(tmp_path / "two", "other weights")
    assert spec("one").arm != spec("two").arm
    assert f"train.synthetic.{key}" in spec("one").fingerprints
    # an id on the hub is told by its name
    assert not spec("owner/name").fingerprints.keys() & {f"train.synthetic.{key}"}
    with pytest.raises(InputError, match=rf"train\.synthetic\.{re.escape(key)}: \./three: there is no such folder"):
        spec("./three")


def test_lexicons_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.synthetic\.code_switching\.lexicons: .*nowhere: there is no such"):
        frozen(config(code_switching={"lexicons": "nowhere"}), tmp_path)


@pytest.mark.parametrize("file", ["robustness", "noise", "alpha", "size", "codeswitch"])
def test_the_configs_stand_for_runs_of_different_arms(file: str) -> None:
    experiment = read_config(ROOT / "configs" / f"{file}.yaml")
    specs = freeze(experiment, ROOT)
    seeds = {spec.settings.seed for spec in specs}
    assert len({spec.arm for spec in specs}) * len(seeds) == len(specs) == len({spec.run_id for spec in specs})
    full = read_config(ROOT / "configs" / "full" / f"{file}.yaml")
    assert {settings.name for settings in full.settings} == {f"{file}-full"}
