"""The report: what is on the page is what was measured, it needs nothing but itself, and data stay data."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from tests.analysis.hand import HYBRID, MONO, TASK, make_store
from tests.reports.export.pages import Page
from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from workbench.analysis.randomisation import holm
from workbench.config import expand, freeze, read_config
from workbench.errors import InputError
from workbench.records import to_plain
from workbench.reports.bias import bias_rows
from workbench.reports.export.content import report_of
from workbench.reports.export.curves import POINTS, curves_of
from workbench.reports.export.figures import Line, mark_of
from workbench.reports.export.plots import number
from workbench.reports.export.report import write_report
from workbench.reports.export.sheets import Sheet, signed
from workbench.reports.export.written import latex_sheet, markdown_sheet, tex
from workbench.reports.tables import figure, p_value
from workbench.store.database import ingest, query

ODD = 'a<b>&"_1%$x$|{}~^\\'
"""An arm's name with what HTML, Markdown, LaTeX and matplotlib would take for markup."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


@pytest.fixture(scope="module")
def folder(store: Path) -> Path:
    write_report(store, [MONO, HYBRID], store.parent / "report")
    return store.parent / "report"


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page.of((folder / "report.html").read_text())


def test_the_table_of_settings_is_that_of_the_store(store: Path, page: Page) -> None:
    rows = page.tables[1]
    assert rows[0] == ["", "", MONO, HYBRID]
    heads = {"mAP": "map", "R@1": "recall@1", "R@10": "recall@10", "rank distance": "rank_distance"}
    group, seen = "", []
    for line in rows[1:]:
        group = line[0] or group
        setting, measure = group.replace("-", "_"), heads[line[1]]
        seen.append((setting, measure))
        for arm, text in zip((MONO, HYBRID), line[2:], strict=True):
            (known,) = query(
                store,
                "select mean, standard_deviation from arm_measures where (arm, setting, measure) = (?, ?, ?)",
                [arm, setting, measure],
            ).rows
            mean, spread = re.fullmatch(r"(\S+) ±([\d.]+)[*+]?", text).groups()  # type: ignore[union-attr]
            assert mean == figure(known[0]) and float(spread) == pytest.approx(known[1], abs=6e-5)
    assert len(seen) == 7 and seen[-1] == ("multilingual", "rank_distance")


def test_rank_distances_by_hand(page: Page) -> None:
    # German, mono: 8 7 5 9 with the first seed, 4 7 5 9 with the second
    lines = {row[0]: row[1:] for row in next(rows for rows in page.tables if rows[1][0] == "de")[1:]}
    assert lines["de"][0] == "6.7500 ±.7071"
    # hybrid: 3 2 2 2, then 2 2 2 2
    assert lines["de"][1].startswith("2.1250 ±.1768")
    assert list(lines) == ["de", "en", "zh°"]  # no arm was trained on Chinese


def test_heat_maps_have_the_number_of_each_cell(page: Page) -> None:
    maps = {name: texts for name, texts in page.pictures.items() if name.startswith("mAP of")}
    assert len(maps) == 3
    for name, texts in maps.items():
        figures = [text for text in texts if re.fullmatch(r"[+−]?(\.\d{3}|1\.00?|1)\*?", text)]
        assert len(figures) == 12, name
        assert {"de", "en", "zh°", "all", "query", "pool"} <= set(texts)
    # Chinese queries, English pool: ranks 1 2 1 1 with both seeds
    assert ".875" in maps[f"mAP of {HYBRID}, query language by pool language"]


def test_each_heat_map_is_a_file_too(folder: Path, page: Page) -> None:
    names = [f"{TASK}-{MONO}.svg", f"{TASK}-{HYBRID}.svg", f"{TASK}-{HYBRID}-minus-{MONO}.svg"]
    files = [folder / "maps" / name for name in names]
    assert sorted(files) == sorted((folder / "maps").iterdir())
    (picture,) = Page.of(files[2].read_text()).pictures.items()
    assert picture[0].startswith(f"mAP of {HYBRID} minus {MONO}") and page.pictures[picture[0]] == picture[1]
    assert ElementTree.parse(files[2]).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_differences_are_corrected_together(store: Path, page: Page) -> None:
    (results,) = report_of(store, [MONO, HYBRID]).tasks
    found = [one for line in results.headlines.lines for one in line.effects]
    raw = [effect.p for effect, _ in found if effect.error > 0]
    assert [p for effect, p in found if effect.error > 0] == pytest.approx(holm(np.array(raw)))
    rows = page.table("smallest detectable")[1:]
    assert len(rows) == len(found)
    for row, (effect, p) in zip(rows, found, strict=True):
        assert row[3] == signed(effect.difference) and row[5] == p_value(p) and row[7] == "samplings"


def test_marks_tell_samplings_from_checkpoints(store: Path) -> None:
    (results,) = report_of(store, [MONO, HYBRID]).tasks
    effect = results.headlines.lines[-1].effects[0][0]
    assert effect.seeds == 2
    assert [mark_of(effect, p) for p in (0.049, 0.05, float("nan"))] == ["*", "", ""]
    assert mark_of(replace(effect, seeds=1), 0.001) == "+"


def test_the_best_is_bold_and_a_small_rank_distance_is_good(store: Path) -> None:
    (results,) = report_of(store, [MONO, HYBRID]).tasks
    for line in results.headlines.lines:
        means = [entry.mean for entry in line.entries]
        best = min(means) if line.head == "rank distance" else max(means)
        assert [entry.best for entry in line.entries] == [figure(mean) == figure(best) for mean in means]
    assert isinstance(line, Line) and line.entries[1].best and not line.entries[0].best


def test_the_page_needs_nothing_but_itself(folder: Path, page: Page) -> None:
    content = (folder / "report.html").read_text()
    assert not page.tags & {"script", "link", "img", "iframe", "object", "image"}
    links = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href", "data", "action")]
    assert links and all(link.startswith("#") for link in links)
    assert "url(http" not in content and "@import" not in content
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) and {link[1:] for link in links} <= set(ids)
    assert "default-src 'none'" in content


def test_it_says_how_to_have_it_again_and_where_it_was_made(store: Path, folder: Path, page: Page) -> None:
    assert f"workbench run {folder}/configs/{MONO}.yaml" in page.text
    assert f"workbench report {MONO} {HYBRID} --out {folder}" in page.text
    assert ["versions torch", "2.13.0", "2.13.0"] in page.tables[-1]
    assert not [row for row in page.tables[-1] if "host" in row[0] or "here" in row]
    for arm in (MONO, HYBRID):
        text = (folder / "configs" / f"{arm}.yaml").read_text()
        config = yaml.safe_load(text)
        assert config["sweep"] == {"seed": [0, 1]} and text in page.text
        assert config["train"]["sampling"]["strategy"] == arm.split("-")[0]


def test_the_same_results_make_the_same_bytes(store: Path, folder: Path) -> None:
    write_report(store, [MONO, HYBRID], folder, force=True)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert write_report(store, [MONO, HYBRID], folder, force=True) == sorted(before)
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(InputError, match="something in it"):
        write_report(store, [MONO, HYBRID], folder)


def test_markdown_and_latex_have_the_same_tables(folder: Path) -> None:
    markdown, latex = (folder / "report.md").read_text(), (folder / "tables.tex").read_text()
    line, _ = [line for line in markdown.splitlines() if line.startswith("|  | rank distance |")]  # and the difference
    cells = [cell.strip() for cell in line.split("|")[3:5]]
    written, _ = [line for line in latex.splitlines() if line.startswith(" & rank distance")]
    assert [re.sub(r"[*\\+]", "", cell) for cell in cells] == [
        re.sub(r"\\textbf|\^\{[*+]\}|[{}$\\]", "", cell.replace(r"\pm", "±")).strip() for cell in written.split("&")[2:]
    ]
    assert cells[1].startswith("**") and r"\textbf{" in written.split("&")[3]
    basis = "4 questions on 2 paragraphs in 3 languages; 2 seeds of each arm."
    assert f"\n\n{basis}\n\n" in markdown and latex.count(basis) == latex.count("Holm's correction") == 1
    labels = re.findall(r"\\label\{(.*)\}", latex)
    assert len(labels) == len(set(labels)) == latex.count(r"\begin{table}") and labels[0] == "tab:hand-1-1"
    assert latex.count("As Table~\\ref{tab:hand-1-1}.") == 2
    # what is not there is not explained: maps, arms of one seed
    assert "In the maps" not in markdown and "one seed:" not in markdown and "+ marks" not in markdown
    assert "| multilingual | de |" in markdown and "zh°" in markdown and r"zh$^{\circ}$" in latex


def test_all_three_have_the_differences_the_bias_and_the_published(store: Path, folder: Path, page: Page) -> None:
    (distance,) = [
        row for row in bias_rows(store, [MONO]) if (row["measure"], row["query_language"]) == ("rank_distance", "*")
    ]
    text = f"{figure(distance['value'])} [{figure(distance['low'])}, {figure(distance['high'])}]"
    rows = next(rows for rows in page.tables if rows[1][0] == "rank distance" and len(rows[0]) == 3)
    assert rows[0] == ["", MONO, HYBRID] and rows[1][1] == text
    assert [row[0] for row in rows[2:6] if "relative" not in row[0]] == [
        "rank distance median",
        "own language first",
        "Kendall's W",
    ]
    markdown, latex = (folder / "report.md").read_text(), (folder / "tables.tex").read_text()
    assert rf"| rank distance | {text.replace('[', chr(92) + '[').replace(']', chr(92) + ']')} |" in markdown
    assert f"rank distance & {tex(text)} &" in latex
    for name in (f"Differences from {MONO}", f"difference from {MONO}", "Robustness over language pairs, mAP"):
        assert name in page.text and name in markdown and name in latex
    assert "PEER@10: undefined (one relevant per language)." in page.text
    assert not [rows for rows in page.tables for row in rows if "PEER@10" in row]
    (row,) = [row for row in page.table("smallest detectable") if row[1] == "rank distance"]
    assert f"| {' | '.join(row[2:5])} |" in markdown and " & ".join(map(tex, row[2:5])) in latex


def test_cells_of_a_sheet_are_never_markup() -> None:
    sheet = Sheet(ODD, "lr", ("[a] *b*", "c"), ((("[x", ODD),),), ("50 %",))
    head, rule, row = markdown_sheet(sheet).splitlines()
    assert head == r"| \[a\] \*b\* | c |" and rule == "| --- | ---: |"
    assert row == r'| \[x | a\<b\>\&"\_1%\$x\$\|\{\}\~^\\ |'
    lines = latex_sheet("t_1", sheet, "tab:t-1").splitlines()
    # the words of a head stand above each other
    assert r"\shortstack[l]{{[}a{]} \\ {*}b{*}} & \shortstack[r]{c} \\" in lines
    assert rf"{{[}}x & {tex(ODD)} \\" in lines and rf"\caption{{t\_1: {tex(ODD)}. 50 \%}}" in lines


def odd_store(folder: Path, **given: object) -> Path:
    """Two arms of one seed each, one with an odd name; they were not measured on the same second task."""
    store = folder / "odd.duckdb"
    second = {ODD: Tiny(name="other", task_id="1" * 12), "mono-1": Tiny(name="other", task_id="2" * 12)}
    for place, arm in enumerate((ODD, "mono-1")):
        results = evaluate(Tiny(), second[arm], seed=place, found=1.0)
        leak = {"task": "tiny", "training_set": "<s>", "language": "th", "kind": "passage", "dropped": False}
        results.tables["leakage"] = [{**leak, "texts": 12, "hits": 3, "exact": 1, "pairs": 2}] if place == 0 else []
        environment = {"versions": {"torch": "2<3"}, "host": "secret", "leakage": {"on_leak": "warn", "leaked": True}}
        run = write_run(
            folder / "runs",
            f"20261122-140{place}-mono-s0-7f3c",
            arm=arm,
            settings=make_settings(name="a & b"),
            results=results,
            environment=environment if place == 0 else {},
        )
        ingest(store, run)
    return store


def test_data_are_never_markup(tmp_path: Path) -> None:
    write_report(odd_store(tmp_path), ["mono-1", ODD], tmp_path / "report")
    content = (tmp_path / "report" / "report.html").read_text()
    page = Page.of(content)
    assert page.tables[1][0] == ["", "", "mono-1", f"{ODD} †"] and "<b>&" not in content
    assert any(ODD in name for name in page.pictures) and "secret" not in content
    assert ["versions torch", "", "2<3"] in page.tables[-1]
    (leak,) = page.table("word for word")[1:]
    assert leak == [ODD, "tiny", "<s>", "th", "passage", "12", "3", "1", "2", "trained on"]
    assert "standard deviation" not in page.text.split("Rank distance by query")[0]
    # one seed each: the marks say so; and why the second task is not there
    assert "questions only, one seed" in page.text and "their tasks 'other' are not equal" in page.text
    assert "±" not in "".join(page.tables[1][1])
    assert r"a\<b\>\&" in (tmp_path / "report" / "report.md").read_text()
    assert tex(ODD) in (tmp_path / "report" / "tables.tex").read_text()
    assert [len(list((tmp_path / "report" / kind).iterdir())) for kind in ("configs", "maps")] == [2, 3]


def test_one_arm_has_nothing_to_be_compared_with(store: Path, tmp_path: Path) -> None:
    write_report(store, [HYBRID], tmp_path / "report", measure="recall@10")
    page = Page.of((tmp_path / "report" / "report.html").read_text())
    assert "smallest detectable" not in page.text and "R@10, query language by pool" in page.text
    assert [name for name in page.pictures if name.startswith("R@10 of")] == [
        f"R@10 of {HYBRID}, query language by pool language"
    ]
    markdown = (tmp_path / "report" / "report.md").read_text()
    assert "**" not in markdown and "bold" not in markdown and "± is the standard deviation" in markdown


def test_published_figures_stand_beside(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", results=evaluate(Tiny(name="xquad_r"), found=1.0), arm="hybrid-1")
    ingest(tmp_path / "s.duckdb", run)
    write_report(tmp_path / "s.duckdb", ["hybrid-1"], tmp_path / "report")
    page = Page.of((tmp_path / "report" / "report.html").read_text())
    assert "| xlm-r | hybrid |" in (tmp_path / "report" / "report.md").read_text()
    assert "\nxlm-r & hybrid & " in (tmp_path / "report" / "tables.tex").read_text()
    rows = page.table("multilingual mAP")
    assert ["xlm-r", "hybrid", ".5927"] in [[*row[:2], row[rows[0].index("multilingual mAP")]] for row in rows]
    assert "what differs: model: xlm-r, not builtin" in page.text and "pool: en th zh, not ar de" in page.text


def test_wrong_input_is_named(store: Path, tmp_path: Path) -> None:
    for given, says in (({"measure": "mapp"}, "did you mean 'map'"), ({"task": "x"}, "task 'x': allowed: hand")):
        with pytest.raises(InputError, match=says):
            write_report(store, [MONO], tmp_path / "report", **given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no finished run"):
        write_report(store, ["none"], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_configs_stand_for_the_same_arms(tmp_path: Path) -> None:
    content = {
        "name": "again",
        "train": {"sets": {"demo": {"pairs": 50}}, "steps": 3, "sampling": {"alpha": 0.4}},
        "evaluate": {"tasks": {"tiny": {"loader": "demo", "languages": ["de", "en"]}}},
        "sweep": {"seed": [0, 1]},
    }
    specs = freeze(expand(content, "test"), tmp_path)
    for spec in specs:
        ingest(tmp_path / "s.duckdb", write_run(tmp_path / "runs", spec.run_id, arm=spec.arm, settings=spec.settings))
    write_report(tmp_path / "s.duckdb", [specs[0].arm], tmp_path / "report")
    again = freeze(read_config(tmp_path / "report" / "configs" / f"{specs[0].arm}.yaml"), tmp_path)
    assert [(one.arm, one.settings) for one in again] == [(one.arm, one.settings) for one in specs]


def test_the_configs_run_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, elsewhere = tmp_path / "made", tmp_path / "elsewhere"
    (made / "data" / "qrels").mkdir(parents=True)
    elsewhere.mkdir()
    (made / "data" / "corpus.jsonl").write_text('{"_id": "p", "title": "", "text": "a text", "language": "en"}\n')
    (made / "data" / "queries.jsonl").write_text('{"_id": "q", "text": "a query", "language": "en"}\n')
    (made / "data" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tp\t1\n")
    lines = "".join(
        json.dumps({"pair_id": str(n), "lang": "en", "query": f"q {n}", "passage": f"p {n}"}) + "\n" for n in range(40)
    )
    (made / "pairs.jsonl").write_text(lines)
    content = {
        "name": "again",
        "train": {"sets": {"mine": {"path": "pairs.jsonl"}}, "steps": 3, "sampling": {"strategy": "mono"}},
        "evaluate": {"tasks": {"tiny": {"loader": "beir", "path": "data"}}},
    }
    (spec,) = freeze(expand(content, "test"), made)
    run = write_run(tmp_path / "runs", spec.run_id, arm=spec.arm, settings=spec.settings)
    (run.root / "config.yaml").write_text(yaml.safe_dump(to_plain(spec)))
    ingest(tmp_path / "s.duckdb", run)
    monkeypatch.chdir(made)
    write_report(tmp_path / "s.duckdb", [spec.arm], Path("report"))
    assert f"    workbench run report/configs/{spec.arm}.yaml\n" in (made / "report" / "report.md").read_text()
    config = made / "report" / "configs" / f"{spec.arm}.yaml"
    command = [sys.executable, "-m", "workbench", "run", str(config), "--dry-run", "--json"]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["arm"] == spec.arm


def test_long_trainings_are_thinned(tmp_path: Path) -> None:
    ingest(tmp_path / "s.duckdb", write_run(tmp_path / "runs", "20261122-1403-mono-s0-7f3c", steps=400))
    curves = curves_of(tmp_path / "s.duckdb", {"a": ["20261122-1403-mono-s0-7f3c"]})
    assert [curve.quantity for curve in curves] == ["loss", "pairs_per_second"]
    loss = curves[0]
    assert len(loss.steps) == POINTS and list(loss.steps) == sorted(loss.steps)
    # 400 steps in 60 parts: the first one is of steps 1 to 6, with the losses 2, 2/2, 2/3 ...
    assert loss.steps[0] == 3.5 and loss.values[0] == pytest.approx(sum(2 / n for n in range(1, 7)) / 6)


@pytest.mark.parametrize(
    ("value", "is_signed", "text"),
    [(0.5124, False, ".512"), (1.0, False, "1"), (-0.0221, True, "−.022"), (0.0001, True, ".000"),
     (12.34, False, "12.3"), (1213.5, False, "1214"), (-704.4, True, "−704"), (0.99996, False, "1")],
)  # fmt: skip
def test_numbers_in_cells(value: float, is_signed: bool, text: str) -> None:
    assert number(value, signed=is_signed) == text


def test_numbers_in_tables() -> None:
    nan = float("nan")
    assert [signed(value) for value in (0.0123, -0.5, -3e-5, nan)] == ["+.0123", "−.5000", "−3e-05", ""]


def test_plots_and_templates_load_when_they_are_needed() -> None:
    code = "import sys, workbench.reports.export.report; print({'matplotlib', 'jinja2'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_matplotlib_says_nothing_where_the_home_cannot_be_written(store: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.reports.export.report import write_report; "
        "write_report(Path(sys.argv[1]), [sys.argv[2]], Path(sys.argv[3]))"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("MPLCONFIGDIR", "XDG_CONFIG_HOME")}
    command = [sys.executable, "-c", code, str(store), MONO, str(tmp_path / "report")]
    done = subprocess.run(command, env={**kept, "HOME": "/proc/none"}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_the_latex_compiles(tmp_path: Path) -> None:
    write_report(odd_store(tmp_path), [ODD, "mono-1"], tmp_path / "report")
    main = "\\documentclass{article}\n\\begin{document}\n\\input{report/tables}\n\\end{document}\n"
    (tmp_path / "main.tex").write_text(main)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")
def test_a_browser_draws_it_without_a_word_of_complaint(folder: Path, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,3000",
               f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--v=0",
               f"--screenshot={tmp_path / 'page.png'}", (folder / "report.html").as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "CONSOLE" not in done.stderr, done.stderr[-2000:]
    with pillow.open(tmp_path / "page.png") as image:
        colours = image.convert("RGB").getcolors(maxcolors=10**7)
    shades = {colour for count, colour in colours if count > 400}
    assert (0xFD, 0xE7, 0x25) in shades and len(shades) > 10  # viridis' highest; and others
