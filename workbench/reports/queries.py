"""Which queries two arms rank differently, with the texts: what a difference of means is made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.analysis.stored import common_task
from workbench.data.texts import TaskTexts, keep_texts, read_texts
from workbench.errors import InputError, WorkError, allowed
from workbench.records import SETTINGS, RunSpec, from_plain
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.store.database import query

SHOWN = 300
"""Characters of a text that are printed."""
NO_DEPTH = 10**9
"""Where all ranks are known: more than any pool has."""

MOVED = """
with of_run as (
    select run_id, setting, query_language, pool_language, query_id, min(rank) as rank
    from relevant_ranks
    where list_contains($run_ids, run_id) and task = $task and task_id = $task_id
        and ($setting is null or setting = $setting)
        and ($query_language is null or query_language = $query_language)
        and ($pool_language is null or pool_language = $pool_language)
    group by all
),
of_arm as (
    select setting, query_language, pool_language, query_id,
        median(rank) filter (list_contains($runs, run_id)) as rank,
        median(rank) filter (list_contains($against_runs, run_id)) as against_rank,
        median(coalesce(rank, $beyond)) filter (list_contains($runs, run_id)) as place,
        median(coalesce(rank, $beyond)) filter (list_contains($against_runs, run_id)) as against_place
    from of_run group by all
)
select setting, query_language, pool_language, query_id, if(place < $beyond, place, null) as rank,
    if(against_place < $beyond, against_place, null) as against_rank,
    log2(against_place / place) as moved
from of_arm
order by abs(moved) desc, moved desc, setting, query_language, pool_language, query_id
limit $limit
"""
RELEVANT = """
select setting, query_language, pool_language, query_id,
    min({'rank': coalesce(rank, $beyond), 'id': passage_id, 'language': passage_language}) as passage
from relevant_ranks
where list_contains($run_ids, run_id) and task = $task and task_id = $task_id and list_contains($query_ids, query_id)
group by all
"""
FIRST = """
select setting, query_language, pool_language, query_id,
    max({'votes': votes, 'id': passage_id, 'language': passage_language}) as passage
from (
    select setting, query_language, pool_language, query_id, passage_id, passage_language, count(*) as votes
    from first_passages
    where list_contains($run_ids, run_id) and task = $task and task_id = $task_id
        and list_contains($query_ids, query_id)
    group by all
)
group by all
"""
KEY = ("setting", "query_language", "pool_language", "query_id")


@dataclass(frozen=True)
class Moved:
    """Queries that two arms rank differently."""

    rows: list[Row]
    note: str
    """Why the texts are missing; empty where they are there."""


def moved_queries(
    store: Path, arm: str, against: str, *, task: str | None = None, cell: str | None = None, limit: int = 20
) -> Moved:
    """One row for each query of a cell, those first whose best relevant passage moved most.

    `rank` and `against_rank` are those of the best-ranked relevant passage under either arm, the median over its seeds;
    null beyond the depth searched. `moved` is log2(against_rank / rank): 1 = half the rank under `arm`, -1 = twice it.
    `relevant_id` is the relevant passage that was ranked best by any run, `first_id` and `against_first_id` are the
    passages that most seeds of either arm rank first. With them their languages and, where the cache has them, texts.

    Parameters
    ----------
    cell
        `SETTING QUERY_LANGUAGE POOL_LANGUAGE`, the pool of the multilingual setting is `*`; None = all cells.

    Raises
    ------
    InputError
        The arms have no equal task in common, or several and none is named; the task has no such cell.
    """
    if arm == against:
        raise InputError(f"{arm}: an arm does not differ from itself; name two")
    name, task_id, runs = common_task(store, [against, arm], task)
    place = {"task": name, "task_id": task_id}
    chosen = dict(zip(("setting", "query_language", "pool_language"), cell_of(store, name, task_id, cell), strict=True))
    of_arm, of_against = list(runs[arm].values()), list(runs[against].values())
    run_ids = [*of_arm, *of_against]
    rows = query(
        store,
        MOVED,
        {
            **place,
            **chosen,
            "run_ids": run_ids,
            "runs": of_arm,
            "against_runs": of_against,
            "beyond": beyond(store, task_id),
            "limit": limit,
        },
    ).dicts()
    rows = [{"task": name, "arm": arm, "against": against, **row} for row in rows]
    add_passages(store, rows, place, of_arm, of_against)
    return with_texts(store, rows, task_id, run_ids)


def cell_of(store: Path, task: str, task_id: str, cell: str | None) -> tuple[str | None, str | None, str | None]:
    """The three parts of a cell's name; all None where none is named."""
    if cell is None:
        return None, None, None
    parts = tuple(cell.split())
    if len(parts) != 3:
        raise InputError(
            f"--cell {cell!r}: allowed: a setting, a query language, a pool language: 'cross_lingual sw en'"
        )
    known = query(
        store,
        """
        select distinct setting, query_language, pool_language from measurements
        where task = ? and task_id = ? order by all
        """,
        [task, task_id],
    ).rows
    if parts not in known:
        setting, language, pool = parts
        if setting not in SETTINGS:
            raise InputError(f"--cell {cell!r}: {allowed(setting, SETTINGS)}")
        pools = sorted({row[2] for row in known if row[:2] == (setting, language)})
        if pools:
            raise InputError(f"--cell {cell!r}: pool language {pool!r}: {allowed(pool, pools)}")
        languages = sorted({row[1] for row in known if row[0] == setting})
        raise InputError(f"--cell {cell!r}: query language {language!r}: {allowed(language, languages)}")
    return parts


def beyond(store: Path, task_id: str) -> int:
    """The rank that a passage counts as which was not found: the first one beyond the depth."""
    rows = query(
        store, "select max(try_cast(options ->> 'depth' as bigint)) from tasks where task_id = ?", [task_id]
    ).rows
    return int(rows[0][0] or NO_DEPTH) + 1


def add_passages(store: Path, rows: list[Row], place: Row, runs: Sequence[str], against: Sequence[str]) -> None:
    """To each row the best relevant passage and the two that stand first: id and language."""
    parameters = {**place, "query_ids": sorted({row["query_id"] for row in rows})}
    asked: dict[str, tuple[str, Row]] = {
        "relevant": (RELEVANT, {"run_ids": [*runs, *against], "beyond": beyond(store, place["task_id"])}),
        "first": (FIRST, {"run_ids": list(runs)}),
        "against_first": (FIRST, {"run_ids": list(against)}),
    }
    for name, (statement, more) in asked.items():
        found = {tuple(row[:4]): row[4] for row in query(store, statement, {**parameters, **more}).rows}
        for row in rows:
            passage = found.get(tuple(row[key] for key in KEY), {})
            row |= {f"{name}_id": passage.get("id"), f"{name}_language": passage.get("language")}


def with_texts(store: Path, rows: list[Row], task_id: str, run_ids: Sequence[str]) -> Moved:
    """The rows with `query`, `relevant`, `first` and `against_first`, null where the text is not known."""
    queries = {(row["query_id"], row["query_language"]) for row in rows}
    names = ("relevant", "first", "against_first")
    passages = {row[f"{name}_id"] for row in rows for name in names} - {None}
    texts = read_texts(task_id, queries, passages)
    note = ""
    if texts is None:
        note = reread(store, task_id, run_ids)
        texts = read_texts(task_id, queries, passages) or TaskTexts({}, {})
    for row in rows:
        row["query"] = texts.queries.get((row["query_id"], row["query_language"]))
        row |= {name: texts.passages.get(row[f"{name}_id"]) for name in names}
    return Moved(rows, note)


def reread(store: Path, task_id: str, run_ids: Sequence[str]) -> str:
    """Put a task's texts into the cache from its own files, where these are here; else why not.

    They are here if the paths of one of its runs lead to files of the same fingerprint.
    """
    from workbench.data.fingerprints import set_fingerprint
    from workbench.data.loading import load_task

    (name, fingerprint), *_ = query(store, "select task, fingerprint from tasks where task_id = ?", [task_id]).rows
    hint = f"no texts: those of {name} are not on this machine (fingerprint {fingerprint})"
    configs = query(store, "select config from runs where list_contains($runs, run_id)", {"runs": list(run_ids)}).rows
    for (config,) in configs:
        spec = from_plain(RunSpec, json.loads(config))
        task = spec.settings.evaluate.tasks.get(name)
        folder = Path(spec.folder) if Path(spec.folder).is_dir() else Path.cwd()
        if task is None or task.depth is not None:
            continue
        try:
            if set_fingerprint(name, task, folder) == fingerprint:
                keep_texts(task_id, load_task(name, task, folder))
                return ""
        except (InputError, WorkError) as error:
            hint = f"no texts: {error}"
    return f"{hint}; a run of the task on this machine, `workbench run` or `evaluate`, leaves them in the cache"


def print_moved(found: Moved) -> None:
    """One block a query: what moved, then the texts."""
    for row in found.rows:
        cell = " ".join((row["setting"], row["query_language"], row["pool_language"]))
        print(f"{shown(row['query_id'])}  {cell}  rank {rank(row['against_rank'])} → {rank(row['rank'])}")
        print_text("query", row["query_language"], row["query"])
        print_text("relevant", row["relevant_language"], row["relevant"], row["relevant_id"])
        for name, arm in (("against_first", row["against"]), ("first", row["arm"])):
            if row[f"{name}_id"] != row["relevant_id"]:
                print_text(f"first in {arm}", row[f"{name}_language"], row[name], row[f"{name}_id"])
            else:
                print(f"  first in {arm}: the relevant one")
        print()


def print_text(what: str, language: str | None, text: str | None, passage_id: str | None = None) -> None:
    """A text, cut to what a reader takes in; its id where the text is not known."""
    said = shown(passage_id or "") if text is None else shown(text if len(text) <= SHOWN else f"{text[:SHOWN]} …")
    if said:
        print(f"  {what} ({language or '?'}): {said}")


def rank(value: float | None) -> str:
    """A rank, or the middle of two."""
    return "beyond the depth" if value is None else f"{value:g}"
