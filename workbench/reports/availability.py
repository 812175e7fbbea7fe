"""What the runs of a config read, and whether it is on this machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.data.catalog import known_set
from workbench.data.fetched import fetched_set, folder_of
from workbench.data.fingerprints import local_checkpoint, located
from workbench.errors import InputError
from workbench.records import DEMO_LEXICONS, PairSetSpec, Settings, SyntheticSpec, TaskSpec
from workbench.reports.overview import Row

BUILT_IN, HERE, MISSING, ON_HUB = "built in", "here", "missing", "on a hub"


def availability(settings: Sequence[Settings], folder: Path) -> list[Row]:
    """One row for each set, task, checkpoint and folder of lexicons that any of the runs reads.

    `state` is `built in`, `here`, `missing` or `on a hub` (a checkpoint that transformers fetches, or has in its
    cache); `where` is the path, and what is missing has in `fetch` what brings it. Relative paths start at `folder`.
    """
    rows: list[Row] = []
    for one in settings:
        rows += [row for row in needs(one, folder) if row not in rows]
    return rows


def needs(settings: Settings, folder: Path) -> Iterator[Row]:
    train = settings.train
    if train is not None:
        for name, pairs in train.sets.items():
            yield set_row(f"train.sets.{name}", "training set", name, pairs, folder)
        if train.synthetic is not None:
            yield from synthetic_rows(train.synthetic, folder)
    for name, task in settings.evaluate.tasks.items():
        yield set_row(f"evaluate.tasks.{name}", "task", name, task, folder)
        for file in task.questions:
            yield path_row(f"evaluate.tasks.{name}.questions", "questions", file, folder)
    yield checkpoint_row("model.checkpoint", settings.model.checkpoint, folder)


def row_of(key: str, kind: str, name: str, state: str, where: str = "", fetch: str = "") -> Row:
    return {"key": key, "kind": kind, "name": name, "state": state, "where": where, "fetch": fetch}


def set_row(key: str, kind: str, name: str, spec: PairSetSpec | TaskSpec, folder: Path) -> Row:
    if spec.path is not None:
        return path_row(key, kind, spec.path, folder, name)
    if (spec.loader or name) == "demo":
        return row_of(key, kind, name, BUILT_IN)
    fetched = fetched_set(name)
    if fetched is None:
        known = known_set(name)
        can = known is not None and known.source is not None
        return row_of(key, kind, name, MISSING, "", f"workbench data fetch {name}" if can else f"give {key}.path")
    lacking = [code for code in spec.languages or () if code not in fetched.languages]
    if lacking:
        options = " ".join(f"--language {code}" for code in lacking)
        where = f"{folder_of(name)} without {' '.join(lacking)}"
        return row_of(key, kind, name, MISSING, where, f"workbench data fetch {name} {options}")
    return row_of(key, kind, name, HERE, str(folder_of(name)))


def path_row(key: str, kind: str, path: str, folder: Path, name: str | None = None) -> Row:
    try:
        is_there = located(path, folder).exists()
    except InputError:
        is_there = False
    name = Path(path).name if name is None else name
    return row_of(
        key, kind, name, HERE if is_there else MISSING, path, "" if is_there else "bring it, or mend the path"
    )


def checkpoint_row(key: str, checkpoint: str, folder: Path) -> Row:
    if checkpoint == "builtin":
        return row_of(key, "checkpoint", checkpoint, BUILT_IN)
    try:
        local = local_checkpoint(checkpoint, folder)
    except InputError:
        return row_of(key, "checkpoint", checkpoint, MISSING, checkpoint, "bring it, or mend the path")
    return row_of(key, "checkpoint", checkpoint, HERE if local else ON_HUB, str(local or ""))


def synthetic_rows(spec: SyntheticSpec, folder: Path) -> Iterator[Row]:
    """What synthetic texts are made with; a translator's checkpoint of a pair of languages is looked for by itself."""
    made = spec.code_switching
    if made is not None and made.lexicons == DEMO_LEXICONS:
        yield row_of("train.synthetic.code_switching.lexicons", "lexicons", made.lexicons, BUILT_IN)
    elif made is not None:
        yield path_row("train.synthetic.code_switching.lexicons", "lexicons", made.lexicons, folder)
    checkpoint = spec.translator.checkpoint if spec.translator else None
    if checkpoint and "{" not in checkpoint:
        yield checkpoint_row("train.synthetic.translator.checkpoint", checkpoint, folder)
    if spec.filter is not None and spec.filter.similarity is not None:
        near = spec.filter.similarity.checkpoint
        yield checkpoint_row("train.synthetic.filter.similarity.checkpoint", near, folder)
