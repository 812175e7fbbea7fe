"""The commands that make synthetic data: `workbench synth ...`."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli_options import Json
from workbench.errors import InputError

STOP_S = 1.0
"""Patience with a process that is asked to stop, before it is asked again, and before it is killed."""
synth_app = typer.Typer(help="Make synthetic parallel data: translate, code-switch, filter.", no_args_is_help=True)

Data = Annotated[str, typer.Option("--data", help="A known training set, or any name together with --path.")]
PathOf = Annotated[str | None, typer.Option("--path", help="Its file or folder; default where it was fetched to.")]
Loader = Annotated[str | None, typer.Option(help="How it is read; default as the name or the path tells.")]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only this of the set's languages; repeatable.")
]
Pairs = Annotated[int | None, typer.Option(min=1, help="At most so many pairs; default all.")]
To = Annotated[str | None, typer.Option("--to", help="Languages to make, such as ar,de; default the others it has.")]
Source = Annotated[str, typer.Option("--source", help="Language that they are made from.")]
SourceOf = Annotated[
    str | None, typer.Option("--source", help="Language that they were made from; default as the file says.")
]
Out = Annotated[Path, typer.Option("--out", help="Parquet file to write: what people wrote, and what was made.")]
Kind = Annotated[str, typer.Option("--translator", help="nllb, m2m100, marian or command.")]
Checkpoint = Annotated[str | None, typer.Option(help="A Hugging Face id or a local folder; default the usual one.")]
Command = Annotated[str | None, typer.Option(help="command: a program, a line in for each line out.")]
Version = Annotated[str | None, typer.Option(help="command: its version; another one translates anew.")]
Engine = Annotated[str | None, typer.Option(help="transformers or ctranslate2.")]
Beams = Annotated[int | None, typer.Option(min=1, help="Beams of the search; default 4.")]
Rules = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="RULE=VALUE", help="A key of train.synthetic.filter, such as length_ratio=2.5."),
]


@synth_app.command("translate")
def translate(
    data: Data,
    to: To,
    translator: Kind,
    out: Out,
    path: PathOf = None,
    loader: Loader = None,
    language: Languages = None,
    pairs: Pairs = None,
    source: Source = "en",
    checkpoint: Checkpoint = None,
    command: Command = None,
    version: Version = None,
    engine: Engine = None,
    beams: Beams = None,
    as_json: Json = False,
) -> None:
    """Translate a training set; what was translated once is never paid for again, so the same command resumes."""
    spec = translating(translator, checkpoint=checkpoint, command=command, version=version, engine=engine, beams=beams)
    of = given(path=path, loader=loader, languages=language, pairs=pairs)
    made = start("pairs", data, {**spec, **asked(source, to)}, of, out)
    show_made(made, out, as_json)


@synth_app.command("codeswitch")
def codeswitch(
    data: Data,
    lexicons: Annotated[
        str, typer.Option(help="A folder of en-XX.txt or .tsv, a word and a translation a line; or demo.")
    ],
    out: Out,
    to: To = None,
    p: Annotated[float, typer.Option("--p", help="Probability of a word to be looked up.")] = 0.5,
    mode: Annotated[str, typer.Option(help="bilingual, or multilingual: a language for each word.")] = "bilingual",
    sides: Annotated[str, typer.Option(help="both, query or passage.")] = "both",
    path: PathOf = None,
    loader: Loader = None,
    language: Languages = None,
    pairs: Pairs = None,
    source: Source = "en",
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")] = 0,
    as_json: Json = False,
) -> None:
    """Replace words of a training set by their translations."""
    spec = {"code_switching": {"lexicons": lexicons, "p": p, "mode": mode, "sides": sides}, "seed": seed}
    of = given(path=path, loader=loader, languages=language, pairs=pairs)
    made = start("pairs", data, {**spec, **asked(source, to)}, of, out)
    show_made(made, out, as_json)


@synth_app.command("filter")
def filter_file(
    file: Annotated[Path, typer.Argument(help="A file that `workbench synth` wrote, or one with a column made_by.")],
    out: Out,
    rules: Rules = None,
    rejected: Annotated[Path | None, typer.Option(help="JSON lines: what is rejected, and the rule.")] = None,
    source: SourceOf = None,
    as_json: Json = False,
) -> None:
    """Keep the synthetic pairs that no rule rejects, and count what each rule does."""
    from workbench.config import apply_override

    chosen: dict[str, Any] = {}
    for rule in rules or ():
        apply_override(chosen, rule)
    made = start("filter", file.name, {"filter": chosen, "source": source or source_in(file)},
                 {"path": str(file)}, out, rejected)  # fmt: skip
    show_made(made, out, as_json)


@synth_app.command("questions")
def questions(
    data: Annotated[str, typer.Option("--data", help="A known task, or any name together with --path.")],
    to: Annotated[str, typer.Option("--to", help="Languages to translate into, with commas: ar,de.")],
    translator: Kind,
    out: Annotated[Path, typer.Option("--out", help="JSON lines, as evaluate.tasks.NAME.questions reads them.")],
    path: PathOf = None,
    loader: Loader = None,
    language: Annotated[list[str] | None, typer.Option(help="Only the questions in this language; repeatable.")] = None,
    checkpoint: Checkpoint = None,
    command: Command = None,
    version: Version = None,
    engine: Engine = None,
    beams: Beams = None,
    as_json: Json = False,
) -> None:
    """Translate a task's questions, for cells between languages of a task that is not parallel."""
    from workbench.reports.output import emit, note

    spec = translating(translator, checkpoint=checkpoint, command=command, version=version, engine=engine, beams=beams)
    of = given(path=path, loader=loader, languages=language)
    emit(start("questions", data, {**spec, **asked("en", to)}, of, out), as_json)
    note(str(out))


@synth_app.command("report")
def report(
    file: Annotated[Path, typer.Argument(help="A file that `workbench synth` wrote, or any training set in a file.")],
    source: SourceOf = None,
    as_json: Json = False,
) -> None:
    """Show what is in a file: languages, lengths, agreement with the source, what was rejected."""
    from workbench.reports.output import emit
    from workbench.reports.synthetic import print_report

    rows = start("report", file.name, {"source": source or source_in(file)}, {"path": str(file)})
    if as_json:
        emit(rows, as_json)
    else:
        print_report(rows)


@synth_app.command("lexicons")
def lexicons(
    out: Annotated[Path, typer.Option("--out", help="Folder to write en-XX.txt into.")], as_json: Json = False
) -> None:
    """Write the lexicons of the built-in demonstration set, in the format that lexicons are read in."""
    from workbench.data.demo import LANGUAGES, lexicon
    from workbench.files import write_whole
    from workbench.reports.output import emit

    rows = []
    for language in LANGUAGES:
        if language != "en":
            file, words = out / f"en-{language}.txt", lexicon(language)
            write_whole(file, "".join(f"{word}\t{translation}\n" for word, translation in words.items()))
            rows.append({"language": language, "words": len(words), "file": str(file)})
    emit(rows, as_json)


def translating(kind: str, **options: Any) -> dict[str, Any]:
    return {"translator": {"kind": kind, **given(**options)}}


def asked(source: str, to: str | None) -> dict[str, Any]:
    """
    Raises
    ------
    InputError
        `to` is given and empty.
    """
    languages = list(dict.fromkeys(part.strip() for part in to.split(",") if part.strip())) if to is not None else None
    if languages == []:
        raise InputError(f"--to {to!r}: names no language; allowed: language codes with commas, such as ar,de")
    return given(source=source, languages=languages)


def given(**options: Any) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in options.items() if value is not None}


def source_in(file: Path) -> str:
    """The language that a file says its synthetic texts were made from, else English."""
    from workbench.synthesis.made import said_of

    return str(said_of(str(file)).get("source", "en")) if file.is_file() else "en"


def start(
    what: str,
    name: str,
    synthetic: dict[str, Any],
    of: dict[str, Any],
    out: Path | None = None,
    rejected: Path | None = None,
) -> list[dict[str, Any]]:
    """Check the options as a config's keys, and let a process of its own do the work, as it may import torch.

    Raises
    ------
    InputError
        An option is wrong.
    """
    from workbench.config_checks import check_synthetic, check_translator
    from workbench.config_keys import as_record
    from workbench.data.catalog import check_options, known_loader
    from workbench.data.reading.languages import check_language
    from workbench.records import PairSetSpec, SyntheticSpec, TaskSpec, to_plain

    spec = as_record(SyntheticSpec, synthetic, "synth")
    if what == "questions":  # each is made from its own language
        for language in spec.languages or ():
            check_language(language, "synth.languages")
        check_translator(spec.translator, "synth.translator")  # type: ignore[arg-type]
    else:
        check_synthetic(spec, [name], "synth")
    kind: Any = "task" if what == "questions" else "training"
    of_set: Any = as_record(TaskSpec if what == "questions" else PairSetSpec, of, "synth")
    check_options(of_set, of_set.loader or known_loader(kind, name, of_set.path), f"synth.{name}")
    for option, file in (("--out", out), ("--rejected", rejected)):
        if file is not None and file.is_dir():
            raise InputError(f"{option} {file}: is a folder; allowed: a file")
    if out is not None and what != "questions" and out.suffix != ".parquet":
        raise InputError(f"--out {out}: allowed: a name that ends in .parquet")
    request = {"what": what, "name": name, "synthetic": to_plain(spec), "out": out and str(out)}
    request |= {"task" if what == "questions" else "pairs": to_plain(of_set), "rejected": rejected and str(rejected)}
    command = [sys.executable, "-m", "workbench.synthesis", json.dumps(request)]
    code, output = answer(command)
    if code:
        raise typer.Exit(code)
    rows: list[dict[str, Any]] = json.loads(output)
    return rows


def answer(command: list[str]) -> tuple[int, str]:
    """A process's exit code and what it wrote; who stops this one stops that one, which is given time to say so."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            # a terminal's Ctrl-C reaches both, a signal to this one does not
            for end in (process.terminate, process.kill):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
                    break
                end()
            raise
    return process.returncode, output


def show_made(rows: list[dict[str, Any]], out: Path, as_json: bool) -> None:
    from workbench.reports.output import emit, note
    from workbench.reports.synthetic import print_made

    if as_json:
        emit(rows, as_json)
    else:
        print_made(rows)
    note(str(out))
