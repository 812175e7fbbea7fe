"""The process behind `workbench synth`: `python -m workbench.synthesis REQUEST`, a `Request` as JSON.

Progress goes to stderr, and at the end to stdout a list of objects: what came out, by language.
"""

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from workbench.data.loading import load_task, load_training_set
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.errors import InputError, WorkbenchError
from workbench.files import write_whole
from workbench.records import FilterSpec, PairSetSpec, SyntheticSpec, TaskSpec, from_plain, to_plain
from workbench.synthesis.made import Account, Made, said_of, write_training_set
from workbench.synthesis.makers import load_maker
from workbench.synthesis.making import make_once
from workbench.synthesis.outcomes import because, filtered_by_kind, rejected
from workbench.synthesis.report import described
from workbench.synthesis.translators.cache import translate_cached
from workbench.synthesis.translators.loading import load_translator
from workbench.synthesis.versions import (
    Versions,
    joined,
    made,
    makers_of,
    unsourced,
    with_made,
    without_made,
    written,
)

PEOPLE = "people"
"""The maker of texts that people wrote."""


@dataclass(frozen=True)
class Request:
    """What one call of `workbench synth` is to do."""

    what: Literal["pairs", "filter", "questions", "report"]
    name: str
    """Of the training set, or of the task."""
    synthetic: SyntheticSpec
    """How; `source` and what the request is about."""
    out: str | None = None
    """The file to write."""
    pairs: PairSetSpec | None = None
    """The training set."""
    task: TaskSpec | None = None
    """The task whose questions are translated."""
    rejected: str | None = None
    """filter: a file for what is rejected, and why."""


def main(arguments: Sequence[str] | None = None) -> int:
    request: Request = from_plain(Request, json.loads((sys.argv[1:] if arguments is None else arguments)[0]))
    # as Ctrl-C: what was made so far is in the cache
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        do = {"pairs": make_pairs, "filter": filter_pairs, "questions": translate_questions, "report": report}[
            request.what
        ]
        print(json.dumps(do(request), ensure_ascii=False))
    except WorkbenchError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):  # it is being done
            signal.signal(number, signal.SIG_IGN)
        narrate("stopped; what was translated stays in the cache, and the same command goes on from there")
        return 130
    return 0


def make_pairs(request: Request) -> list[dict[str, Any]]:
    """Translate or code-switch a training set."""
    folder, spec = Path.cwd(), request.synthetic
    assert request.pairs is not None
    pairs = load_training_set(request.name, request.pairs, folder)
    found = make_once(pairs, spec, load_maker(spec, folder, "auto"), folder, "cpu", Narrator())
    return write_set(request, pairs, found)


def filter_pairs(request: Request) -> list[dict[str, Any]]:
    """Keep the synthetic pairs of a file that the rules do not reject."""
    folder, spec = Path.cwd(), request.synthetic
    assert request.pairs is not None and request.pairs.path is not None
    pairs = load_training_set(request.name, request.pairs, folder)
    by_maker = made(pairs, spec.source)
    if not by_maker:
        raise InputError(f"{request.pairs.path}: holds no synthetic pairs: no row has a text in 'made_by'")
    versions = joined(list(by_maker.values()))
    makers = makers_of(pairs)
    kept = filtered_by_kind(versions, makers, spec.source, spec.filter or FilterSpec(), folder, "cpu", Narrator())
    for line in kept.notes:
        narrate(line)
    stay = versions.take([row for row, keep in enumerate(kept.kept) if keep])
    for line in unsourced(pairs, spec.source):
        narrate(line)
    accounts = tuple(
        Account(
            request.name,
            language,
            maker,
            list(versions.languages).count(language),
            list(stay.languages).count(language),
            rejected(kept).get(language, {}),
        )
        for language, maker in sorted(makers.items())
    )
    if request.rejected is not None:
        write_rejected(folder / request.rejected, versions, kept.reasons)
    if not len(stay):
        raise InputError(f"{request.pairs.path}: no synthetic pair is left{because(rejected(kept))}")
    before = told_before(request.pairs.path)
    all_told = [with_earlier(of, before.get((of.language, of.made_by))) for of in accounts]
    return write_set(request, pairs, Made(stay, makers, accounts, kept.notes), all_told)


def with_earlier(account: Account, earlier: Account | None) -> Account:
    """Of a file that was filtered: all that was made, and all that was rejected of it since."""
    if earlier is None or earlier.made is None or earlier.kept != account.made:
        return account
    counts: Counter[str] = Counter(earlier.details.get("rejected", {})) + Counter(account.details.get("rejected", {}))
    return replace(
        account,
        made=earlier.made,
        details={**earlier.details, **({"rejected": dict(counts)} if counts else {})},
    )


def told_before(path: str | None) -> dict[tuple[str, str], Account]:
    """How the synthetic texts of a file came about, as it says, by language and maker."""
    accounts = [Account(**account) for account in said_of(path or "").get("accounts", ())]
    return {(account.language, account.made_by): account for account in accounts}


def write_set(
    request: Request, pairs: ParallelPairs, found: Made, accounts: Sequence[Account] | None = None
) -> list[dict[str, Any]]:
    """The file, and what to say of it; `accounts` are what the file says, none = the same."""
    whole = with_made(pairs, found.versions, found.makers)
    assert request.pairs is not None
    told = told_before(request.pairs.path) | {(of.language, of.made_by): of for of in accounts or found.accounts}
    write_training_set(Path.cwd() / str(request.out), whole, list(told.values()), request.synthetic.source)
    rows: list[dict[str, Any]] = to_plain(found.accounts)
    return rows


def write_rejected(path: Path, versions: Versions, reasons: Sequence[str | None]) -> None:
    """JSON lines: the pairs that were rejected, and the rule."""
    lines = [
        json.dumps(
            {
                "pair_id": versions.pair_ids[row],
                "lang": versions.languages[row],
                "rule": reason,
                "query": versions.queries[row],
                "passage": versions.passages[row],
                "source_query": versions.source_queries[row],
                "source_passage": versions.source_passages[row],
            },
            ensure_ascii=False,
        )
        for row, reason in enumerate(reasons)
        if reason is not None
    ]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def translate_questions(request: Request) -> list[dict[str, Any]]:
    """The questions of a task in further languages: a file that `evaluate.tasks.NAME.questions` names."""
    folder, spec = Path.cwd(), request.synthetic
    assert request.task is not None and spec.translator is not None and spec.languages is not None
    task = load_task(request.name, request.task, folder)
    translator = load_translator(spec.translator, folder)
    lines, rows = [], []
    there = {(name, source) for column, source in enumerate(task.languages) for name in of_language(task, column)}
    for column, source in enumerate(task.languages):
        questions = of_language(task, column)
        targets = [language for language in spec.languages if language != source]
        if not questions or not targets or (request.task.languages and source not in request.task.languages):
            continue
        translator.check(source, targets)
        for target in targets:
            # of a question that is there in several languages one is translated
            wanted = {name: text for name, text in questions.items() if (name, target) not in there}
            if not wanted:
                continue
            there |= {(name, target) for name in wanted}
            found = translate_cached(translator, list(wanted.values()), source, target, Narrator())
            lines += [
                {"id": name, "language": target, "question": text, "translator": translator.name}
                for name, text in zip(wanted, found, strict=True)
                if text.strip()
            ]
            rows.append({"from": source, "to": target, "questions": sum(bool(text.strip()) for text in found)})
    if not rows:
        have = ", ".join(task.languages)
        raise InputError(f"{request.name}: there is nothing to translate: its questions are in {have}")
    write_whole(folder / str(request.out), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return rows


def report(request: Request) -> list[dict[str, Any]]:
    """What is in a file, a row for each maker and language, and what the file says of its making."""
    assert request.pairs is not None and request.pairs.path is not None
    pairs = load_training_set(request.name, request.pairs, Path.cwd())
    source = request.synthetic.source
    human = without_made(pairs)
    parts = {PEOPLE: joined([written(human, its, source) for its in human.languages]), **made(pairs, source)}
    rows = described({maker: part for maker, part in parts.items() if len(part)}, source)
    for line in unsourced(pairs, source):
        narrate(line)
    told = told_before(request.pairs.path)
    for row in rows:
        account = told.get((row["language"], row["maker"]))
        row |= {"made": account.made, "details": account.details} if account else {"made": None, "details": {}}
    return rows


def of_language(task: RetrievalTask, column: int) -> dict[str, str]:
    """The questions that a task has in a language, by id."""
    texts = zip(task.query_ids, task.queries[:, column].tolist(), strict=True)
    return {name: task.query_texts[text] for name, text in texts if text >= 0}


class Narrator:
    """Progress on stderr, now and then."""

    EVERY_S = 5.0

    def __init__(self) -> None:
        self.stage = ""
        self.first = 0
        self.began = self.said = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.first, self.began, self.said = stage, done, now, 0.0
        if now - self.said > self.EVERY_S or done == total:
            self.said = now
            left = (now - self.began) / max(1, done - self.first) * (total - done)
            eta = f"  ETA {int(left) // 60}:{int(left) % 60:02d}" if done > self.first and done < total else ""
            narrate(f"{stage}  {done}/{total}{eta}")


def narrate(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
