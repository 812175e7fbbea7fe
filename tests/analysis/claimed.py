"""Stores with arms whose quality is chosen, for verdicts on claims."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml

from tests.store.synthetic import Results, Tiny, make_settings, write_run
from workbench.arms import arm_hash, arm_label
from workbench.data.fingerprints import fingerprints
from workbench.paths import RunsPaths
from workbench.records import PairSetSpec, RunSpec, Settings, TrainSpec, to_plain
from workbench.store.database import ingest_pending

TASK = Tiny("tiny", "0123456789ab", ("de", "en", "th", "zh"), questions=40, pool=100)
Quality = Callable[[str, str, str], float]
"""Of (setting, query language, pool language) how likely a question is answered well."""


@dataclass(frozen=True)
class Arm:
    """What is put into the store as an arm."""

    sampling: str
    quality: Mapping[str, float] | Quality
    """By setting, or of the cell."""
    seeds: Sequence[int] = (0, 1, 2)
    drift: float = 0.0
    """By which the quality rises from seed to seed."""
    far: int = 40
    """Rank of the last parallel passage of a question that is not answered well."""
    sets: Mapping[str, PairSetSpec] = field(default_factory=lambda: {"demo": PairSetSpec(loader="demo")})
    drawn: Sequence[str] = ("de", "en")
    leaked: bool | None = False
    model: str = "builtin"
    alpha: float = 0.5
    rate: float = 1e-4
    swept: Mapping[str, object] = field(default_factory=dict)
    label: str | None = None

    def settings(self, seed: int) -> Settings:
        made = make_settings(self.sampling, self.alpha, seed)
        assert isinstance(made.train, TrainSpec)
        train = replace(made.train, sets=self.sets, learning_rate=self.rate)
        return replace(made, label=self.label, train=train, model=replace(made.model, checkpoint=self.model))


def level(monolingual: float, cross_lingual: float, multilingual: float) -> dict[str, float]:
    return {"monolingual": monolingual, "cross_lingual": cross_lingual, "multilingual": multilingual}


def make_store(folder: Path, arms: Sequence[Arm], task: Tiny = TASK) -> Path:
    """A store with finished runs of the arms, through run directories and ingest."""
    store, runs = folder / "claims.duckdb", RunsPaths(folder / "runs")
    for place, arm in enumerate(arms):
        for seed in arm.seeds:
            spec = spec_of(arm, arm.settings(seed), f"20261122-14{place:02d}-{arm.sampling}-s{seed}-0000")
            run = write_run(
                runs.root,
                spec.run_id,
                settings=spec.settings,
                arm=spec.arm,
                results=results_of(arm, seed, task),
                environment={} if arm.leaked is None else {"leakage": {"leaked": arm.leaked}},
            )
            run.config.write_text(yaml.safe_dump(to_plain(spec)))
    assert not ingest_pending(store, runs).problems
    return store


def spec_of(arm: Arm, settings: Settings, run_id: str) -> RunSpec:
    known = {name: of for name, of in arm.sets.items() if of.loader == "demo"}
    prints = fingerprints(replace(settings, train=replace(settings.train, sets=known)), Path())  # type: ignore[type-var]
    prints |= {f"train.sets.{name}": name for name in arm.sets.keys() - known.keys()}
    name = f"{arm_label(settings, arm.swept)}-{arm_hash(settings, prints)[:6]}"
    return RunSpec(run_id, name, "2026-11-22T14:03:00+00:00", "/somewhere", prints, settings)


def results_of(arm: Arm, seed: int, task: Tiny) -> Results:
    """Ranks 1 with the arm's probability, else 2 (map .5); questions are as hard for every arm (one draw for all)."""
    results = Results(tasks=[task.described()])
    tables = results.tables
    for q in range(task.questions):
        tables["queries"].append(
            {"task": task.name, "query_id": task.query_id(q), "paragraph": f"p{q // 2}", "article": f"a{q // 4}"}
        )
    for number, (setting, query_language, pool) in enumerate(task.cells()):
        hard = np.random.default_rng([number, 5]).random(task.questions)
        own = np.random.default_rng([number, seed, len(arm.sampling)]).normal(scale=0.01, size=task.questions)
        quality = (
            arm.quality[setting] if isinstance(arm.quality, Mapping) else arm.quality(setting, query_language, pool)
        )
        well = hard + own < quality + arm.drift * seed
        names = {"task": task.name, "setting": setting, "query_language": query_language, "pool_language": pool}
        languages = task.languages if pool == "*" else (pool,)
        for q in range(task.questions):
            first = 1 if well[q] else 2
            ranks = [first, *range(first + 1, first + len(languages))]
            if pool == "*" and not well[q]:
                ranks[-1] = arm.far
            for rank, (passage, language, relevance) in zip(ranks, task.relevants(q, languages), strict=True):
                row = {"passage_id": passage, "passage_language": language, "relevance": relevance, "rank": rank}
                tables["relevant_ranks"].append({**names, "query_id": task.query_id(q), **row})
        tables["measurements"].append({**names, "measure": "map", "value": 0.5, "queries": task.questions})
    for language in arm.drawn:
        pair = {"training_set": "demo", "kind": "mono", "query_language": language, "passage_language": language}
        tables["sampled_pairs"].append({**pair, "pairs": 100})
    return results
