import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from workbench.data.fingerprints import fingerprints
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.records import EvaluateSpec, ModelSpec, RunSpec, TaskSpec
from workbench.reports.estimate import estimates, parameter_counts


def spec_of(checkpoint: str, folder: Path) -> RunSpec:
    settings = replace(make_settings(), model=ModelSpec(checkpoint))
    return RunSpec("20261122-1403-mono-s0-7f3c", "mono-7f3c11", "2026-11-22T14:03:00+00:00", str(folder), {}, settings)


def write_weights(path: Path, **shapes: list[int]) -> None:
    entries = {name: {"dtype": "F32", "shape": shape} for name, shape in shapes.items()}
    head = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(40_000))


def test_weights_are_counted_in_one_file_or_in_shards(tmp_path: Path) -> None:
    write_weights(tmp_path / "m/model-00001-of-00002.safetensors", words=[100, 8])
    write_weights(tmp_path / "m/model-00002-of-00002.safetensors", dense=[8, 8], scalar=[])
    assert parameter_counts(spec_of("m", tmp_path)) == (865, 800)
    write_weights(tmp_path / "m/model.safetensors", words=[10, 8])
    assert parameter_counts(spec_of("m", tmp_path)) == (80, 80)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x02",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 50) + b'{"a": ',
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 9) + b'{"a": []}',
        *(
            struct.pack("<Q", len(head)) + head
            for head in (b'{"a": {"shape": ["x"]}}', b'{"a": {"shape": [-5]}}', b'{"a": {"shape": [1e300, 9]}}')
        ),
    ],
)
def test_what_a_damaged_header_says_is_not_known(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/model.safetensors").write_bytes(content)
    (row,) = estimates([spec_of("m", tmp_path)], RunsPaths(tmp_path / "runs"))
    assert row["training_seconds"] is None and row["estimated_from"].startswith("not known") and row["disk_mib"] is None


def test_a_checkpoint_in_another_format_is_not_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/pytorch_model.bin").write_bytes(b"weights")
    for checkpoint in ("m", "owner/name"):
        (row,) = estimates([spec_of(checkpoint, tmp_path)], RunsPaths(tmp_path / "runs"))
        assert row["estimated_from"].startswith("not known") and "machine" not in row["estimated_from"]


def test_the_home_folder_may_stand_in_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    write_weights(tmp_path / "home/m/model.safetensors", words=[10, 8])
    (tmp_path / "home/task.json").write_text("{}")
    spec = spec_of("~/m", tmp_path)
    assert parameter_counts(spec) == (80, 80)
    tasks = {"tiny": TaskSpec(path="~/task.json")}
    settings = replace(spec.settings, evaluate=replace(spec.settings.evaluate, tasks=tasks))
    found = fingerprints(settings, tmp_path)
    assert found.keys() == {"evaluate.tasks.tiny", "train.sets.demo", "model.checkpoint"}
    monkeypatch.setenv("HOME", str(tmp_path / "other"))
    with pytest.raises(InputError, match=r"evaluate.tasks.tiny.path: .*task.json"):
        fingerprints(settings, tmp_path)
    with pytest.raises(InputError, match=r"model.checkpoint: ~nobody-of-that-name/m: there is no such home"):
        fingerprints(spec_of("~nobody-of-that-name/m", tmp_path).settings, tmp_path)


def test_vectors_of_a_search_count_once_their_number_is_known(tmp_path: Path) -> None:
    tasks = {"tiny": TaskSpec(loader="beir", path="x", depth=100)}
    settings = replace(make_settings(), train=None, evaluate=EvaluateSpec(tasks))
    runs, run_id = RunsPaths(tmp_path / "runs"), "20261122-1403-mono-s0-7f3c"
    spec = replace(spec_of("builtin", tmp_path), settings=settings, fingerprints={"evaluate.tasks.tiny": "f" * 12})
    assert estimates([spec], runs)[0]["disk_mib"] is None
    results = evaluate(Tiny())
    results.tasks = [Tiny().described(candidates=dict.fromkeys(Tiny().languages, 2**20))]
    write_run(runs.root, run_id, results=results, settings=settings)
    # three languages, a million candidates in each, 128 numbers of 4 bytes; and the results
    assert estimates([spec], runs)[0]["disk_mib"] == 3 * 512 + 4
    other = replace(spec, fingerprints={"evaluate.tasks.tiny": "other"})
    assert estimates([other], runs)[0]["disk_mib"] is None
    local = replace(spec, settings=replace(settings, model=ModelSpec("m")))
    (tmp_path / "m").mkdir()
    assert estimates([local], runs)[0]["disk_mib"] is None
    (tmp_path / "m/config.json").write_text('{"hidden_size": 256}')
    assert estimates([local], runs)[0]["disk_mib"] == 3 * 1024 + 4
    (runs.run(run_id).results / "tasks.json").write_text('[{"task": "a", "task_id": "b", "candidates": [1]}]')
    assert estimates([spec], runs)[0]["disk_mib"] is None
