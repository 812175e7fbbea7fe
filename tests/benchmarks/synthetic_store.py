"""A store of many runs that were never run: random measurements, no ranks, made in SQL within seconds."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.store.connection import writing

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
MEASURES = (
    *("map", "map@20", "recall@1", "recall@10", "recall@100", "mrr", "ndcg@10"),
    *("rank_distance", "rank_distance_median", "rank_distance_relative", "own_language_first"),
)
SEEDS = 5
ARMS = 40
"""Arms of an experiment."""

RUNS = """
insert into stored.runs by name
select run, run_id, run_name, experiment, arm, sampling, alpha, model, seed, state, made as created, made as started,
    made + interval 9 minutes as ended, 540.0 as seconds, 'cpu' as device, 2 as threads, 'here' as host, 400 as steps,
    100 as batch_size, 3e-5 as learning_rate, 0.05 as temperature, 278000000 as parameters,
    if(state = 'failed', 'loss is NaN at step 3', null) as message, $config as config, null as environment,
    null as fingerprints, false as leaked
from (
    select n + 1 as run, n % $seeds as seed, n // $seeds as number, number % $arms as part,
        ['english', 'pooled', 'mono', 'cross', 'hybrid'][part % 5 + 1] as sampling,
        if(sampling = 'hybrid', 0.3 + 0.1 * (part // 5 % 5), null) as alpha,
        format('experiment-{:03d}', number // $arms) as experiment,
        format('{}-m{}-{:06x}', sampling, part // 5, number * 7919 % 16777216) as arm,
        format('{}-m{}-s{}', sampling, part // 5, seed) as run_name,
        ['xlm-roberta-base', 'labse', 'multilingual-e5-small'][part // 5 % 3 + 1] as model,
        if(n % 50 = 7, 'failed', 'finished') as state,
        timestamp '2026-01-01' + to_minutes(n * 10) as made,
        format('{}-{}-{:04x}', strftime(made, '%Y%m%d-%H%M'), run_name, number * 7919 % 65536) as run_id
    from range($runs) as t(n)
)
"""
CELLS = """
insert into stored.cells
select row_number() over () as cell, 1, setting, a, b from (
    select 'monolingual' as setting, a, a as b from unnest($languages) as t(a)
    union all
    select 'cross_lingual', a, b from unnest($languages) as t(a), unnest($languages) as u(b) where a != b
    union all
    select 'multilingual', a, '*' from unnest($languages) as t(a)
)
"""
MEASUREMENTS = """
insert into stored.measurements
select run, cell, measure, if(name like 'rank_distance%' and name not like '%relative', 900, 1) * random(), 1190
from stored.runs, stored.cells, stored.measures
where state = 'finished' and (setting = 'multilingual' or not (name like 'rank%' or name like 'own%'))
order by run, cell, measure
"""


def make_store(store: Path, runs: int) -> None:
    """A new store with `runs` runs on one task of eleven languages."""
    counts = json.dumps(dict.fromkeys(LANGUAGES, 1190))
    with writing(store) as connection:
        connection.execute("select setseed(0.5)")
        given = {"runs": runs, "seeds": SEEDS, "arms": ARMS, "config": json.dumps({"settings": {"name": "made"}})}
        connection.execute(RUNS, given)
        task = ["xquad_r", "0123456789ab", "f" * 12, json.dumps({"passage_text": "sentence"}), counts, counts]
        connection.execute("insert into stored.tasks values (1, ?, ?, ?, ?, ?, ?)", task)
        connection.execute(CELLS, {"languages": list(LANGUAGES)})
        connection.execute(
            "insert into stored.measures select generate_subscripts($m, 1), unnest($m)", {"m": list(MEASURES)}
        )
        connection.execute(MEASUREMENTS)
