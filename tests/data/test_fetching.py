"""Fetching: from copies of repositories, through `datasets` where they hold tables."""

import http.server
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data.catalog import KNOWN_SETS
from workbench.data.fetched import fetched_set, folder_of
from workbench.data.fetching import Place, fetch, fetchable, main, parts_of, table_files
from workbench.errors import InputError, WorkError
from workbench.files import locked


def write_repository(folder: Path, tables: dict[str, list[dict[str, object]]]) -> Path:
    """A dataset repository as the hub has it: parquet files, and their configs in the head of README.md."""
    lines = ["---", "configs:"]
    for part, rows in tables.items():
        config, _, split = part.partition("/")
        file = folder / config / f"{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), file)
        if f"- config_name: {config}" not in lines:
            lines += [f"- config_name: {config}", "  data_files:"]
        lines += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    return folder


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    answers = {"text": ["Wien"], "answer_start": [0]}
    row = {
        "id": "q1",
        "title": "Städte",
        "context": "Wien ist alt. 東京も古い。",
        "question": "Wo?",
        "answers": answers,
    }
    return write_repository(tmp_path / "squad", {"plain_text/train": [row, {**row, "id": "q2"}]})


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    rows = [{"query_id": "1", "query": "?"}]
    for name in ("swahili", "thai"):
        folder = tmp_path / "copy" / f"mrtydi-v1.1-{name}"
        folder.mkdir(parents=True)
        (folder / "train.jsonl.gz").write_bytes(json.dumps(rows).encode())
    return tmp_path / "copy"


def test_a_table_is_left_as_the_hub_lays_it_out(squad: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fetched = fetch("squad", copy=squad)
    file = folder_of("squad") / "plain_text" / "train-00000.parquet"
    assert pq.read_table(file).to_pylist() == pq.read_table(next(squad.rglob("*.parquet"))).to_pylist()
    assert fetched == fetched_set("squad")
    assert (fetched.parts, fetched.languages) == (("plain_text/train",), ("en",))
    assert "plain_text/train (1 of 1)" in capfd.readouterr().err


def test_what_is_there_is_not_fetched_again(squad: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = fetch("squad", copy=squad)
    assert fetch("squad", copy=squad) == first
    assert "all of it is there" in capfd.readouterr().err


def test_languages_are_added_from_the_same_content_only(queries: Path) -> None:
    first = fetch("mr_tydi", ["sw"], queries)
    both = fetch("mr_tydi", ["th"], queries)
    assert both.languages == ("sw", "th") and both.fingerprint == first.fingerprint
    assert (folder_of("mr_tydi") / "mrtydi-v1.1-swahili" / "train.jsonl.gz").is_file()
    (queries / "mrtydi-v1.1-thai" / "train.jsonl.gz").write_bytes(b"other")
    with pytest.raises(InputError, match=r"mr_tydi: the languages that are there are of revision .*--again"):
        fetch("mr_tydi", ["th", "sw"], queries)
    assert fetch("mr_tydi", ["th"], queries, again=True).languages == ("th",)
    assert not (folder_of("mr_tydi") / "mrtydi-v1.1-swahili").exists()


def test_half_a_set_is_none_and_is_gone_on_with(queries: Path) -> None:
    thai = queries / "mrtydi-v1.1-thai" / "train.jsonl.gz"
    content = thai.read_bytes()
    thai.rename(queries / "away")
    with pytest.raises(InputError, match=r"mrtydi-v1.1-thai/train.jsonl.gz: there is no such file"):
        fetch("mr_tydi", ["sw", "th"], queries)
    assert fetched_set("mr_tydi") is None
    (queries / "away").unlink()
    thai.write_bytes(content)
    assert fetch("mr_tydi", ["sw", "th"], queries).languages == ("sw", "th")


def test_a_killed_fetch_leaves_no_set_and_keeps_its_whole_parts(queries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench.data.fetching as fetching

    taken: list[str] = []
    take = fetching.take

    def killed_at_the_second(part: str, *rest: object) -> None:
        taken.append(part)
        if len(taken) == 2:
            raise KeyboardInterrupt
        take(part, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fetching, "take", killed_at_the_second)
        fetch("mr_tydi", ["sw", "th"], queries)
    assert fetched_set("mr_tydi") is None
    (first,) = folder_of("mr_tydi").rglob("train.jsonl.gz")
    written = first.stat().st_mtime_ns
    assert fetch("mr_tydi", ["sw", "th"], queries).languages == ("sw", "th")
    assert (folder_of("mr_tydi") / "mrtydi-v1.1-swahili" / "train.jsonl.gz").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("name", "languages", "says"),
    [
        ("tydiqa", None, "'tydiqa' is no known data set.*did you mean 'tydiqa_r'"),
        ("demo", None, "demo: is built in"),
        ("entity_questions", None, "entity_questions: cannot be fetched: give its path"),
        ("mr_tydi", ["xx"], "mr_tydi: has no language 'xx'; allowed: ar"),
        ("tydiqa_r", ["sw"], "tydiqa_r: comes in one piece"),
        ("squad", None, "nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_fetched(tmp_path: Path, name: str, languages: list[str] | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fetch(name, languages, tmp_path / "nowhere")


def test_a_copy_without_the_table_is_refused(tmp_path: Path, squad: Path) -> None:
    with pytest.raises(InputError, match="secondary_task/train: cannot be read"):
        fetch("tydiqa_r", copy=squad)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds no file"):
        fetch("tydiqa_r", copy=tmp_path / "empty")


@pytest.mark.parametrize("name", ["squad", "xquad_r", "mmarco"])
def test_a_hub_that_is_switched_off_is_told(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench.data.fetching", name]
    environment = {"HF_HUB_OFFLINE": "1", "WORKBENCH_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "HF_HUB_OFFLINE" in done.stderr and "Traceback" not in done.stderr


def test_two_do_not_fetch_one_set_at_once(queries: Path) -> None:
    with locked(folder_of("mr_tydi") / ".lock"), pytest.raises(WorkError, match="another process is fetching it"):
        fetch("mr_tydi", ["sw"], queries)


def test_the_process_prints_what_it_fetched(queries: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["mr_tydi", "--language", "th", "--copy", str(queries), "--json"]) == 0
    row = {"name": "mr_tydi", "folder": str(folder_of("mr_tydi")), "languages": ["th"]}
    assert json.loads(capfd.readouterr().out) == row
    assert main(["mr_tydi", "--language", "xx"]) == 2


def test_every_source_can_be_expanded() -> None:
    for known in KNOWN_SETS:
        if known.source is not None:
            parts = parts_of(known, known.languages)
            assert parts and not any("{" in part for part in parts)
            assert len(parts) == len(set(parts))


def test_a_damaged_manifest_is_told(queries: Path) -> None:
    fetch("mr_tydi", ["sw"], queries)
    (folder_of("mr_tydi") / "manifest.json").write_text("{")
    with pytest.raises(InputError, match=r"manifest\.json: not valid JSON"):
        fetched_set("mr_tydi")


def test_a_download_that_breaks_off_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import workbench.data.fetching as fetching

    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    sizes = {"announced": 4, "sent": 2}

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(sizes["announced"]))
            self.end_headers()
            self.wfile.write(b"x" * sizes["sent"])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        source = replace(fetchable("xquad_r").source, repository=f"http://127.0.0.1:{server.server_port}")  # type: ignore[type-var]
        monkeypatch.setattr(fetching, "fetchable", lambda _: replace(fetchable("xquad_r"), source=source))
        try:
            assert main(["xquad_r"]) == 2
            assert "ar.json: does not answer (IncompleteRead" in capfd.readouterr().err
            assert fetched_set("xquad_r") is None and not list(folder_of("xquad_r").rglob("*.json"))
            sizes["sent"] = 4
            whole = fetch("xquad_r")
            assert fetched_set("xquad_r") == whole
            sizes["sent"] = 1
            assert main(["xquad_r", "--again"]) == 2
            assert fetched_set("xquad_r") == whole and (folder_of("xquad_r") / "ar.json").read_bytes() == b"xxxx"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("form", ["{config}/train/0000.parquet", "{config}/train-00000-of-00001.parquet"])
def test_tables_need_no_readme(tmp_path: Path, form: str) -> None:
    for code in ("ar", "zh"):
        file = tmp_path / "copy" / form.format(config=f"mlqa-translate-train.{code}")
        file.parent.mkdir(parents=True)
        pq.write_table(pa.table({"id": [code]}), file)
    fetch("mlqa_translate_train", ["zh"], tmp_path / "copy")
    (table,) = folder_of("mlqa_translate_train").rglob("*.parquet")
    assert table.parent.name == "mlqa-translate-train.zh" and pq.read_table(table).to_pylist() == [{"id": "zh"}]


def test_converted_tables_are_asked_for_by_their_files() -> None:
    source = fetchable("mlqa_translate_train").source
    assert source is not None
    found = table_files(Place(source, None, "1" * 40), "mlqa-translate-train.ar", "train")
    assert found == {"data_files": {"train": "mlqa-translate-train.ar/train/*.parquet"}}
    named = fetchable("squad").source
    assert named is not None and table_files(Place(named, None, "1"), "plain_text", "train") == {"name": "plain_text"}


def test_nothing_is_added_to_a_copy_from_the_hub(queries: Path) -> None:
    fetch("mr_tydi", ["sw"], queries)
    with pytest.raises(InputError, match="mr_tydi: the languages that are there are of a copy; give it with --from"):
        fetch("mr_tydi", ["fi"])
    assert fetch("mr_tydi", ["sw"]).languages == ("sw",)


def test_all_names_are_known_before_the_first_is_fetched(queries: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["mr_tydi", "nope", "--language", "th", "--copy", str(queries)]) == 2
    assert fetched_set("mr_tydi") is None and "'nope'" in capfd.readouterr().err
