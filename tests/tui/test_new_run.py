"""New runs: a config chosen, changed as a form and as YAML, its runs and data looked at, launched."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from tests.tui.conftest import LARGE, SIZE, STRANGE, Opened, Pictured, screen_text, until
from workbench.data.demo import retrieval_task
from workbench.runs.directory import run_folders, state_of
from workbench.tui.app import WorkbenchApp
from workbench.tui.choose_config import ChooseConfig
from workbench.tui.form_view import FormView
from workbench.tui.launch_dialogs import LaunchDialog
from workbench.tui.leak_check import LeakCheck
from workbench.tui.new_run import NewRunPane
from workbench.tui.widgets.table import PagedTable

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = """\
# Small enough for a test.
name: small
model: {checkpoint: builtin, builtin: {dimension: 16, buckets: 512}}
train:
  sets:
    demo: {languages: [de, en], pairs: 60}
  batch_size: 8
  steps: 4                         # few
evaluate:
  tasks:
    demo: {languages: [de, en]}
seed: 1
"""


@pytest.fixture
def project(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two configs, which is the current one."""
    (empty_home / "configs").mkdir()
    shutil.copy(CONFIGS / "quickstart.yaml", empty_home / "configs")
    (empty_home / "configs" / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(empty_home)
    return empty_home


def pane_of(pilot: Pilot[None]) -> NewRunPane:
    return pilot.app.query_one(NewRunPane)


def text_of(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.query_one(selector, Static).content)


def text_of_dialog(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#problem", Static).content)


async def choose(pilot: Pilot[None], name: str) -> NewRunPane:
    """From the list, by keys, and wait for the runs."""
    pane, chooser = pane_of(pilot), pilot.app.query_one(ChooseConfig)
    await until(lambda: len(chooser.paths) > 1)
    place = [path.stem if path else "" for path in chooser.paths].index(name)
    await pilot.press("home", *["down"] * place, "enter")
    await until(lambda: pane.plan is not None)
    return pane


async def to_key(pilot: Pilot[None], key: str) -> FormView:
    """The cursor of the form on a key."""
    form = pilot.app.query_one(FormView)
    place = [row.key for row in form.listed].index(key)
    form.options.highlighted = max(0, place - 1)
    await pilot.press("home" if place == 0 else "down")
    assert form.current is not None and form.current.key == key
    return form


async def write(pilot: Pilot[None], text: str) -> None:
    """Replace what stands in the line that one types in."""
    await pilot.press("end", "ctrl+u", *text)


def end_of_text(pilot: Pilot[None]) -> None:
    editor = pilot.app.query_one(TextArea)
    editor.move_cursor(editor.document.end)


def yaml_text(pilot: Pilot[None]) -> str:
    return pilot.app.query_one(TextArea).text


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["small", "large"])
async def test_the_quickstart_is_chosen_changed_and_shows_its_product(
    project: Path, opened: Opened, size: tuple[int, int]
) -> None:
    async with opened(project, "new", size) as pilot:
        pane = await choose(pilot, "quickstart")
        assert "6 runs, 2 arms" in text_of(pilot, "#head")
        form = await to_key(pilot, "train.steps")
        await pilot.press("enter")
        await write(pilot, "20")
        await until(lambda: "steps: 20\n" in yaml_text(pilot))
        await pilot.press("enter")
        assert "# batches, three seeds each" in yaml_text(pilot) and "it starts from random numbers" in yaml_text(pilot)
        await until(lambda: pane.plan is not None and {row["steps"] for row in pane.plan.runs} == {20})
        assert len(pilot.app.query_one("#product", PagedTable).rows) == 6
        assert form.screen.focused is form.options
        assert "changed" in text_of(pilot, "#head")


async def test_what_is_wrong_stands_beside_the_field_as_one_types(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        pane = await choose(pilot, "quickstart")
        form = await to_key(pilot, "train.steps")
        await pilot.press("enter")
        await write(pilot, "0")
        await until(lambda: "train.steps" in pane.checked.by_key)
        await until(lambda: re.search(r"steps .*error: ", screen_text(pilot.app)))
        assert pilot.app.focused is pilot.app.query_one("#value")
        assert "greater than or equal to 1" in text_of(pilot, "#about")
        await pilot.press("1", "2")  # 012: a whole number after all
        await until(lambda: not pane.checked.problems and pane.plan is not None)
        await write(pilot, "few")
        await until(lambda: "'few'" in pane.checked.by_key.get("train.steps", ""))
        await pilot.press("escape")
        await until(lambda: not pane.checked.problems and pane.plan is not None)
        assert "steps: 200" in yaml_text(pilot) and form.current is not None and form.current.value == 200


async def test_values_are_taken_in_turn_put_back_and_swept(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        pane = await choose(pilot, "small")
        await to_key(pilot, "train.precision")
        await pilot.press("space")
        await until(lambda: "precision: bf16" in yaml_text(pilot))
        await pilot.press("x")
        await until(lambda: "precision" not in yaml_text(pilot) and "# few" in yaml_text(pilot))
        form = await to_key(pilot, "train.sampling.alpha")
        await pilot.press("w")
        await until(lambda: form.current is not None and form.current.path == ("sweep", "train.sampling.alpha"))
        await pilot.press("enter")
        await write(pilot, "0.25, 0.5, 2")
        await until(lambda: "sweep.train.sampling.alpha" in pane.checked.by_key)
        await write(pilot, "0.25, 0.5, 0.75")
        await until(lambda: pane.plan is not None and len(pane.plan.runs) == 3)
        assert yaml.safe_load(yaml_text(pilot))["sweep"] == {"train.sampling.alpha": [0.25, 0.5, 0.75]}
        assert "3 runs, 3 arms" in text_of(pilot, "#head")
        # of a swept key the values that it takes are edited, not its own, which counts for nothing
        await pilot.press("enter")
        await to_key(pilot, "train.sampling.alpha")
        await pilot.press("enter")
        assert form.current is not None and form.current.path == ("sweep", "train.sampling.alpha")


async def test_sets_and_parts_come_and_go_and_lost_comments_are_told(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        pane = await choose(pilot, "small")
        await to_key(pilot, "evaluate.tasks")
        await pilot.press("enter", *"xquad_r", "enter")
        await until(lambda: pane.plan is not None and pane.plan.lacking == ["evaluate.tasks.xquad_r"])
        assert "missing: evaluate.tasks.xquad_r" in text_of(pilot, "#head")
        await pilot.press("u")
        assert "first bring what is missing" in screen_text(pilot.app)
        await pilot.press("l")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, LaunchDialog)
        await pilot.press("d", "down", "down")
        await until(lambda: "workbench data fetch xquad_r" in text_of(pilot, "#how"))
        await pilot.press("f")
        await to_key(pilot, "evaluate.tasks.xquad_r")
        await pilot.press("x")
        await until(lambda: "xquad_r" not in yaml_text(pilot))
        assert not pane.query_one("#lost").has_class("open")
        await to_key(pilot, "train.synthetic")
        await pilot.press("enter")
        await until(lambda: "synthetic: {}" in yaml_text(pilot))
        # the only key of a block leaves nothing to stand in its place
        await to_key(pilot, "train.sets.demo")
        await pilot.press("x")
        await until(lambda: pane.query_one("#lost").has_class("open"))
        assert "#" not in yaml_text(pilot)


async def test_the_yaml_is_edited_and_the_form_follows(project: Path, opened: Opened) -> None:
    async with opened(project, "new", LARGE) as pilot:
        pane = await choose(pilot, "small")
        await pilot.press("t")
        end_of_text(pilot)
        await pilot.press(*"device: cpu")
        form = pilot.app.query_one(FormView)
        await until(lambda: any(row.key == "device" and row.value == "cpu" for row in form.rows))
        await pilot.press("enter", *"seed: 2")
        await until(lambda: any("'seed' stands twice" in text for text in pane.checked.problems))
        assert "stands twice" in text_of(pilot, "#wrong")
        # the form is about a text that cannot be read: it changes nothing
        before = yaml_text(pilot)
        await pilot.press("escape")
        await to_key(pilot, "device")
        await pilot.press("space")
        await pilot.pause()
        assert yaml_text(pilot) == before
        await pilot.press("t")
        end_of_text(pilot)
        await pilot.press("ctrl+u")
        await until(lambda: pane.plan is not None)


async def test_a_small_run_is_launched_and_finishes(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        await choose(pilot, "small")
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.screen, LaunchDialog))
        await pilot.press("0", "enter")
        assert "allowed: a whole number" in str(pilot.app.screen.query_one("#problem", Static).content)
        await pilot.press("backspace", "1", "enter")
        runs = pane_of(pilot).reader.runs
        await until(lambda: [state_of(run) for run in run_folders(runs)] == ["finished"], 60)
        await until(lambda: pilot.app.pane is not None and pilot.app.pane.id == "runs")
        await until(lambda: "finished" in screen_text(pilot.app))
        await pilot.press("2")
        await until(lambda: pilot.app.pane is pane_of(pilot) and pane_of(pilot).plan is not None)
        await pilot.pause()
        await until(lambda: pane_of(pilot).plan is not None)
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.screen, LaunchDialog))
        assert "1 of 1 run is there already: 1 finished" in screen_text(pilot.app)


async def test_leaks_are_looked_for_in_a_process_of_its_own(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        pane = await choose(pilot, "small")
        check = pilot.app.query_one(LeakCheck)
        await pilot.press("k")
        await until(lambda: check.is_at_work)
        await pilot.press("escape")
        await until(lambda: "cancelled" in check.words)
        await pilot.press("k")
        await until(lambda: "no text of the evaluation tasks" in check.words)
        await pilot.press("f")
        await to_key(pilot, "train.sets.demo.pairs")
        await pilot.press("enter")
        await write(pilot, "50")
        await until(lambda: "not checked since" in check.words)
        assert pane.draft is not None and pane.draft.content["train"]["sets"]["demo"]["pairs"] == 50


async def test_found_leaks_are_shown_with_their_texts(project: Path, opened: Opened) -> None:
    leaked = retrieval_task(("de",)).passage_texts[0]
    texts = ["Ein eigener Satz", leaked.upper()]
    rows = [{"pair_id": f"p{n}", "lang": "de", "query": f"Frage {n}", "passage": text} for n, text in enumerate(texts)]
    (project / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    content = yaml.safe_load(SMALL)
    content["train"]["sets"] = {"mine": {"path": "pairs.jsonl"}}
    (project / "configs" / "leaky.yaml").write_text(yaml.safe_dump(content))
    async with opened(project, "new", LARGE) as pilot:
        await choose(pilot, "leaky")
        check = pilot.app.query_one(LeakCheck)
        await pilot.press("k")
        await until(lambda: "stand in the training texts; 1 pair" in check.words)
        pilot.app.query_one("#hits DataTable").focus()
        await pilot.press("enter")
        await until(lambda: leaked.upper()[:20] in screen_text(pilot.app))


async def test_a_path_that_is_no_config_and_strange_values_do_no_harm(project: Path, opened: Opened) -> None:
    content = {**yaml.safe_load(SMALL), "name": STRANGE[0], "model": {"checkpoint": STRANGE[-1]}}
    (project / "strange.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    (project / "broken.yaml").write_text("name: [a\n")
    async with opened(project, "new") as pilot:
        await pilot.press("slash", *"12")
        assert pilot.app.query_one("#path", Input).value == "12" and pilot.app.pane is pane_of(pilot)
        await pilot.press("escape")
        assert pilot.app.focused is pilot.app.query_one("#configs")
        await pilot.press("slash", "ctrl+u", *"none.yaml", "enter")
        await until(lambda: "none.yaml: cannot be read" in screen_text(pilot.app))
        await write_path(pilot, "~nobody-of-this-name/x.yaml")
        await until(lambda: "no such home folder" in screen_text(pilot.app))
        await write_path(pilot, "broken.yaml")
        await until(lambda: "not valid YAML" in text_of(pilot, "#wrong"))
        await pilot.press("escape", "c", "slash")
        await write_path(pilot, "strange.yaml")
        await until(lambda: pane_of(pilot).plan is not None)
        assert STRANGE[0] in screen_text(pilot.app)
        assert "not valid YAML" not in text_of(pilot, "#wrong")


async def test_the_form_tells_of_problems_that_no_row_has(project: Path, opened: Opened) -> None:
    (project / "configs" / "small.yaml").write_text(SMALL.replace("model:", "modle:"))
    async with opened(project, "new") as pilot:
        pane, chooser = pane_of(pilot), pilot.app.query_one(ChooseConfig)
        await until(lambda: len(chooser.paths) > 1)
        await pilot.press("end", "up", "enter")
        await until(lambda: pane.checked.others)
        await until(lambda: "error in the YAML (t): modle" in screen_text(pilot.app))
        await pilot.press("c")
        await choose(pilot, "quickstart")
        assert "modle" not in screen_text(pilot.app)


async def write_path(pilot: Pilot[None], path: str) -> None:
    await pilot.press("end", "ctrl+u", *path, "enter")


async def test_the_settings_of_a_run_are_handed_over_without_defaults(project: Path, opened: Opened) -> None:
    from workbench.config import read_config
    from workbench.records import to_plain

    settings = read_config(project / "configs" / "small.yaml").settings[0]
    async with opened(project) as pilot:
        assert isinstance(pilot.app, WorkbenchApp)
        pilot.app.new_from(to_plain(settings), "a copy of a run")
        await until(lambda: pilot.app.query(NewRunPane) and pane_of(pilot).plan is not None)
        assert "a copy of a run" in text_of(pilot, "#head")
        text = yaml_text(pilot)
        assert "steps: 4" in text and "weight_decay" not in text and "synthetic" not in text


async def test_the_config_is_saved_and_the_runs_exported(project: Path, opened: Opened) -> None:
    async with opened(project, "new") as pilot:
        await choose(pilot, "small")
        await to_key(pilot, "seed")
        await pilot.press("enter")
        await write(pilot, "7")
        await pilot.press("enter", "s")
        await until(lambda: pilot.app.screen.query("#path"))
        for wrong in ("", "configs", "~nobody-of-this-name/x.yaml", "x" * 300):
            pilot.app.screen.query_one("#path", Input).value = wrong
            before = text_of_dialog(pilot)
            await pilot.press("enter")
            await until(lambda before=before: "error: " in text_of_dialog(pilot) != before)
        await write(pilot, "configs/small.yaml")
        await pilot.press("enter")
        await until(lambda: "Enter again" in str(pilot.app.screen.query_one("#problem", Static).content))
        await pilot.press("enter")
        await until(lambda: "seed: 7" in (project / "configs" / "small.yaml").read_text())
        assert "# Small enough" in (project / "configs" / "small.yaml").read_text()
        await until(lambda: pane_of(pilot).plan is not None and pilot.app.screen is not None)
        await pilot.press("u", "e")
        await until(lambda: pilot.app.screen.query("#path"))
        await pilot.press("enter")
        await until(lambda: (project / "new.csv").exists())
        assert "training_seconds" in (project / "new.csv").read_text()


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(project: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("new")  # type: ignore[attr-defined]
        await until(lambda: pilot.app.query(ChooseConfig))
        await choose(pilot, "quickstart")

    assert pictured(project, size, before)
