"""Published figures, to stand beside one's own, with what differs. They have no seeds and no intervals: a difference
from them is shown and never tested."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.analysis.claims import Comparison, arms_of, limit_of
from workbench.reports.overview import Row
from workbench.store.database import query

MEAN = "mean"
"""As a query language: the mean over the query languages, as printed."""
UNSEEN = ("el", "vi")
"""Languages that arXiv 2408.10536 evaluates and does not train on."""


@dataclass(frozen=True)
class Source:
    """How the figures of a paper came about."""

    paper: str
    data: str
    """What was trained on."""
    passage_text: str | None
    """What was encoded as the passage; none = the paper does not say."""


HYBRID = "2408.10536"
LAREQA = "2004.05484"
SOURCES = {
    HYBRID: Source("arXiv 2408.10536", "question-answer sets translated by machine, mMARCO for the most part", None),
    LAREQA: Source("arXiv 2004.05484", "SQuAD, translated by machine", "sentence_paragraph"),
}
FIGURES = """
select arxiv_id, model, sampling, task, setting, query_language, measure, value
from published_measurements
where task = $task and setting = $setting and query_language = $language and measure = $measure
order by arxiv_id desc, model desc, list_position(['english', 'pooled', 'mono', 'cross', 'hybrid'], sampling)
"""
OWN = """
select distinct r.model, r.config, t.options, t.candidates
from setting_measures m join runs r using (run_id) join tasks t using (task, task_id)
where m.task = $task and list_contains($arms, m.arm)
"""


def published_beside(
    store: Path, task: str, setting: str, measure: str, arms: Sequence[str] = (), *, query_language: str = MEAN
) -> list[Row]:
    """The published figures of a task, one row a model and sampling; none where nothing is published.

    Parameters
    ----------
    task
        As it is called in the store; a name that begins with a published set's, such as `miracl_sw`, means that set.
    arms
        One's own arms on this task, which `differs` speaks of.
    query_language
        `mean` = the printed mean over the query languages.

    Returns
    -------
    Rows with `source` (the paper), `model`, `sampling`, `task`, `setting`, `query_language`, `measure`, `value` and
    `differs`, a list of what differs from the arms: model, training data, pool, passage text, and that one seed was
    trained. LAReQA's figures (arXiv 2004.05484) come from sentence and paragraph, cut at 20: they stand beside
    `map@20` of such arms alone.

    Raises as `reading` does.
    """
    known = published_task(store, task)
    if known is None:
        return []
    own = query(store, OWN, {"task": task, "arms": list(arms)}).dicts()
    names = {"task": known, "setting": setting, "language": query_language}
    wanted = "map" if measure == "map@20" else measure
    rows = query(store, FIGURES, {**names, "measure": wanted}).dicts()
    languages = languages_of(store, known)
    return [
        {
            "source": SOURCES[row["arxiv_id"]].paper,
            **{name: row[name] for name in ("model", "sampling", "task", "setting", "query_language")},
            "measure": measure,
            "value": row["value"],
            "differs": differs(row, own, languages),
        }
        for row in rows
        if (row["arxiv_id"] == LAREQA) == (measure == "map@20") and like_lareqa(row, own)
    ]


def published_task(store: Path, task: str) -> str | None:
    """The published set that a task is of, by its name."""
    names = [name for (name,) in query(store, "select distinct task from published_measurements").rows]
    return next((name for name in names if task == name or task.startswith((f"{name}_", f"{name}-"))), None)


def languages_of(store: Path, task: str) -> list[str]:
    """The query languages that a published set was measured in."""
    sql = "select distinct query_language from published_measurements where task = ? and query_language <> ? order by 1"
    return [language for (language,) in query(store, sql, [task, MEAN]).rows]


def like_lareqa(row: Mapping[str, Any], own: Sequence[Row]) -> bool:
    """Whether LAReQA's figures may stand beside the arms, as their passages are made alike; other papers' may."""
    texts = {json.loads(arm["options"] or "{}").get("passage_text") for arm in own}
    return row["arxiv_id"] != LAREQA or texts <= {"sentence_paragraph"}


def differs(row: Mapping[str, Any], own: Sequence[Row], languages: Sequence[str]) -> list[str]:
    """What differs between a published figure and the arms, a few words each."""
    source = SOURCES[row["arxiv_id"]]
    models = sorted({arm["model"].rstrip("/").rsplit("/", 1)[-1] for arm in own})
    found = [f"model: {row['model']}, not {', '.join(models)}"] if models and models != [row["model"]] else []
    found.append(f"training data: {source.data}")
    for arm in own:
        found += pool_differs(json.loads(arm["options"] or "{}"), json.loads(arm["candidates"] or "{}"), languages)
        text = json.loads(arm["options"] or "{}").get("passage_text")
        if text and source.passage_text is None:
            found.append(f"passage text: here {text}, there not stated")
    return [*dict.fromkeys(found), "one seed"]


def pool_differs(options: Mapping[str, Any], candidates: Mapping[str, Any], languages: Sequence[str]) -> list[str]:
    """What makes one's own pool another one: languages, a part of the articles, passages per language."""
    counted = sorted(set(candidates) - set(options.get("leave_out") or ()))
    found = []
    if counted and languages and counted != list(languages):
        found.append(f"pool: {' '.join(counted)}, not {' '.join(languages)}")
    if (options.get("every_article") or 1) > 1:
        found.append(f"pool: one article in {options['every_article']} only")
    if options.get("depth"):
        found.append(f"pool: searched to depth {options['depth']}")
    return found


SIDES = """
select model, task, sampling, avg(value) as value
from published_measurements
where arxiv_id = $paper and setting = $setting and measure = $measure and list_contains($languages, query_language)
    and ($task is null or task = $task)
group by all order by task desc, model desc
"""


def published_comparisons(store: Path, one: Comparison, task: str | None) -> list[Row]:
    """The published figures of a claim's comparison: on the task, where it has any, else on each published one.

    Returns
    -------
    Rows with `model`, `task`, `first_value`, `second_value` and `holds`, whether the figures as printed are as the
    comparison says; none where it is about more than samplings, or about single cells, which nobody printed.
    """
    sides = one.first.sampling, one.second.sampling
    special = any(of.model or of.sets or of.label or of.synthetic is not None for of in arms_of(one))
    chosen = one.within or one.touching or one.languages == "seen"
    if None in sides or special or one.less or one.of != "mean" or chosen:
        return []
    languages = [MEAN] if one.languages == "all" else list(UNSEEN)
    names = {"paper": HYBRID, "setting": one.setting, "measure": one.measure, "languages": languages}
    rows = query(store, SIDES, {**names, "task": task and published_task(store, task)}).rows
    values = {(model, name, sampling): value for model, name, sampling, value in rows}
    found = []
    for model, name in dict.fromkeys((model, name) for model, name, *_ in rows):
        first, second = (values.get((model, name, side)) for side in sides)
        if first is None or second is None:
            continue
        sign = 1 if one.direction in ("higher", "at_least") else -1
        holds = sign * (first - one.ratio * second) > limit_of(one)
        found.append({"model": model, "task": name, "first_value": first, "second_value": second, "holds": holds})
    return found
