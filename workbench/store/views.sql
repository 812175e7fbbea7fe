-- What users ask: the stored codes with their names joined back, and measures at three levels. Results of tasks that
-- differ in task_id are never averaged together, and neither are measures of runs that did not finish.

create or replace view runs as
select * exclude (run) from stored.runs;

create or replace view tasks as
select name as task, task_id, fingerprint, options, queries, candidates from stored.tasks;

create or replace view queries as
select t.name as task, t.task_id, q.query_id, q.paragraph, q.article
from stored.queries q join stored.tasks t using (task);

-- the rank of every relevant passage; null: beyond the depth searched
create or replace view relevant_ranks as
select r.run_id, t.name as task, t.task_id, c.setting, c.query_language, c.pool_language, q.query_id, p.passage_id,
    p.passage_language, v.relevance, f.rank
from stored.relevant_ranks f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.relevants v on v.relevant = f.relevant
join stored.queries q on q.query = v.query
join stored.passages p on p.passage = v.passage;

-- multilingual setting: how many of the first `depth` passages are in each language; zeros are left out
create or replace view retrieved_languages as
select r.run_id, t.name as task, t.task_id, c.query_language, q.query_id, f.depth, l.name as passage_language,
    f.passages
from stored.retrieved_languages f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.queries q on q.query = f.query
join stored.languages l on l.language = f.language;

create or replace view first_passages as
select r.run_id, t.name as task, t.task_id, c.setting, c.query_language, c.pool_language, q.query_id, p.passage_id,
    p.passage_language
from stored.first_passages f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.queries q on q.query = f.query
join stored.passages p on p.passage = f.passage;

create or replace view measurements as
select r.run_id, t.name as task, t.task_id, c.setting, c.query_language, c.pool_language, m.name as measure, f.value,
    f.queries
from stored.measurements f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.measures m on m.measure = f.measure;

create or replace view training_steps as
select r.run_id, f.* exclude (run) from stored.training_steps f join stored.runs r on r.run = f.run;

create or replace view sampled_pairs as
select r.run_id, f.* exclude (run) from stored.sampled_pairs f join stored.runs r on r.run = f.run;

create or replace view sampled_batches as
select r.run_id, f.* exclude (run) from stored.sampled_batches f join stored.runs r on r.run = f.run;

-- of sampled_pairs those that are synthetic, as either text is; made_by: what made it, null where a person did
create or replace view synthetic_pairs as
select r.run_id, f.* exclude (run) from stored.synthetic_pairs f join stored.runs r on r.run = f.run;

-- the synthetic texts that there were to draw from, and how they came about
create or replace view synthetic_texts as
select r.run_id, f.* exclude (run) from stored.synthetic_texts f join stored.runs r on r.run = f.run;

-- what the leakage check found; runs.leaked says whether a run trained on it, and is null where nobody looked
create or replace view leakage as
select r.run_id, t.name as task, t.task_id, f.* exclude (run, task)
from stored.leakage f
join stored.runs r on r.run = f.run
join stored.tasks t on t.task = f.task;

-- printed figures, not one's own; query_language 'mean': the mean over the query languages
create or replace view published_measurements as
from stored.published_measurements;

create or replace view cell_measures as
select r.run_id, r.run_name, r.arm, r.experiment, t.name as task, t.task_id, c.setting, c.query_language,
    c.pool_language, m.name as measure, f.value, f.queries, r.leaked
from stored.measurements f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.measures m on m.measure = f.measure;

-- over the first `depth` passages of the multilingual pool, as many for every query: the share in each language of the
-- pool, zeros included, and the same divided by the language's share of the pool (1: as by chance). Conditions on
-- run_id, run_name, arm, experiment and depth reach the table of counts.
create or replace view language_shares as
with summed as (
    select r.run_id, r.run_name, r.arm, r.experiment, f.cell, f.depth, l.name as passage_language,
        sum(f.passages) as passages
    from stored.retrieved_languages f
    join stored.runs r on r.run = f.run
    join stored.languages l on l.language = f.language
    group by all
),
counted as (
    select run_id, run_name, arm, experiment, cell, depth, sum(passages) as total,
        map(list(passage_language), list(passages)) as passages
    from summed
    group by all
),
pools as (
    select task, name, task_id, candidates, list_sum(map_values(candidates)) as total,
        unnest(map_keys(candidates)) as passage_language
    from (select task, name, task_id, candidates::map(varchar, bigint) as candidates from stored.tasks)
)
select n.run_id, n.run_name, n.arm, n.experiment, p.name as task, p.task_id, c.query_language, p.passage_language,
    n.depth, coalesce(n.passages[p.passage_language], 0) / n.total as share,
    share / nullif(p.candidates[p.passage_language] / p.total, 0) as relative_share
from counted n
join stored.cells c on c.cell = n.cell
join pools p on p.task = c.task;

-- macro means: every cell of a setting counts alike, but for those of the languages that the task's option leave_out
-- names, as query or pool language
create or replace view setting_measures as
with left_out as (
    select task, unnest(try_cast(options -> 'leave_out' as varchar[])) as language from stored.tasks
),
counted as (
    select cell, task, setting
    from stored.cells c
    where not exists (
        from left_out o where o.task = c.task and o.language in (c.query_language, c.pool_language)
    )
)
select r.run_id, r.run_name, r.arm, r.experiment, r.sampling, r.alpha, r.seed, t.name as task, t.task_id, s.setting,
    m.name as measure, s.value, s.cells, r.leaked
from (
    select f.run, c.task, c.setting, f.measure, avg(f.value) as value, count(f.value) as cells
    from stored.measurements f join counted c on c.cell = f.cell
    group by f.run, c.task, c.setting, f.measure
) s
join stored.runs r on r.run = s.run
join stored.tasks t on t.task = s.task
join stored.measures m on m.measure = s.measure
where r.state = 'finished';

-- over seeds; a seed that was run twice counts once, by its latest run. leaked: of any run
create or replace view arm_measures as
select arm, experiment, sampling, alpha, task, task_id, setting, measure, avg(value) as mean,
    stddev_samp(value) as standard_deviation, count(*) as n, bool_or(leaked) as leaked
from (
    select arm, experiment, sampling, alpha, task, task_id, setting, measure, seed, arg_max(value, run_id) as value,
        bool_or(leaked) as leaked
    from setting_measures
    group by all
)
group by all;

-- cell_measures once more, worked out from the ranks: the relevants of a query in the order of their ranks, figures of
-- a query, means over a cell. What to start from for a measure of one's own. Conditions on run_id, run_name, arm and
-- setting reach the table of ranks: it is they that the window is partitioned by.
create or replace view rank_measures as
with placed as (
    select r.run_id, r.run_name, r.arm, c.setting, f.cell, v.query, p.passage_language,
        p.passage_language = c.query_language as is_own, v.relevance, f.rank,
        row_number() over (partition by r.run_id, r.run_name, r.arm, c.setting, f.cell, v.query
            order by f.rank nulls last) as place,
        row_number() over (partition by r.run_id, r.run_name, r.arm, c.setting, f.cell, v.query
            order by v.relevance desc) as best_place
    from stored.relevant_ranks f
    join stored.runs r on r.run = f.run
    join stored.cells c on c.cell = f.cell
    join stored.relevants v on v.relevant = f.relevant
    join stored.passages p on p.passage = v.passage
),
per_query as (
    select run_id, run_name, arm, setting, cell,
        coalesce(sum(place / rank), 0) / count(*) as map,
        coalesce(sum(place / rank) filter (rank <= 20), 0) / count(*) as map_20,
        count(*) filter (rank <= 1) / count(*) as recall_1,
        count(*) filter (rank <= 10) / count(*) as recall_10,
        count(*) filter (rank <= 100) / count(*) as recall_100,
        coalesce(1 / min(rank), 0) as mrr,
        coalesce(sum(relevance / log2(rank + 1)) filter (rank <= 10), 0)
            / sum(relevance / log2(best_place + 1)) filter (best_place <= 10) as ndcg_10,
        setting = 'multilingual' and min(passage_language) < max(passage_language) as is_parallel,
        if(is_parallel and count(rank) = count(*), max(rank) - min(rank), null) as distance,
        if(is_parallel and bool_or(is_own), count(*) filter (is_own and place = 1 and rank > 0), null) as own_first
    from placed
    group by run_id, run_name, arm, setting, cell, query
),
per_cell as (
    select run_id, run_name, arm, setting, cell, count(*) as queries, avg(map) as map, avg(map_20) as map_20,
        avg(recall_1) as recall_1, avg(recall_10) as recall_10, avg(recall_100) as recall_100, avg(mrr) as mrr,
        avg(ndcg_10) as ndcg_10, count(distance) as distances,
        if(distances = count(*) filter (is_parallel), avg(distance), null) as distance,
        if(distances = count(*) filter (is_parallel), median(distance), null) as distance_median,
        count(own_first) as owns, avg(own_first) as own_first
    from per_query
    group by run_id, run_name, arm, setting, cell
),
measured as (
    select m.run_id, m.run_name, m.arm, r.experiment, t.name as task, t.task_id, m.setting, c.query_language,
        c.pool_language,
        unnest([
            {measure: 'map', value: map, queries: m.queries},
            {measure: 'map@20', value: map_20, queries: m.queries},
            {measure: 'recall@1', value: recall_1, queries: m.queries},
            {measure: 'recall@10', value: recall_10, queries: m.queries},
            {measure: 'recall@100', value: recall_100, queries: m.queries},
            {measure: 'mrr', value: mrr, queries: m.queries},
            {measure: 'ndcg@10', value: ndcg_10, queries: m.queries},
            {measure: 'rank_distance', value: distance, queries: distances},
            {measure: 'rank_distance_median', value: distance_median, queries: distances},
            {measure: 'rank_distance_relative',
                value: distance / list_sum(map_values(t.candidates::map(varchar, bigint))), queries: distances},
            {measure: 'own_language_first', value: own_first, queries: owns}
        ], recursive := true)
    from per_cell m
    join stored.runs r using (run_id)
    join stored.cells c using (cell)
    join stored.tasks t on t.task = c.task
)
from measured where value is not null;

-- ---------------------------------------------------------------------------------------------------- bias
-- Of the multilingual setting, in which the parallel passages of all languages are searched together.

-- for each query the best-ranked relevant passage of each language, and its rank as if the relevants of the other
-- languages were not there; null: beyond the depth searched. Conditions on run_id, run_name, arm and experiment reach
-- the table of ranks.
create or replace view single_target_ranks as
with placed as (
    select r.run_id, r.run_name, r.arm, r.experiment, f.cell, v.query, p.passage_language, f.rank,
        f.rank + 1 - row_number() over (partition by r.run_id, r.run_name, r.arm, r.experiment, f.cell, v.query
            order by f.rank nulls last) as single_target_rank
    from stored.relevant_ranks f
    join stored.runs r on r.run = f.run
    join stored.cells c on c.cell = f.cell
    join stored.relevants v on v.relevant = f.relevant
    join stored.passages p on p.passage = v.passage
    where c.setting = 'multilingual'
)
select m.run_id, m.run_name, m.arm, m.experiment, t.name as task, t.task_id, c.query_language, q.query_id,
    m.passage_language, m.rank, m.single_target_rank, m.relevants
from (
    select run_id, run_name, arm, experiment, cell, query, passage_language, min(rank) as rank,
        min(single_target_rank) as single_target_rank, count(*) as relevants
    from placed
    group by run_id, run_name, arm, experiment, cell, query, passage_language
) m
join stored.cells c on c.cell = m.cell
join stored.tasks t on t.task = c.task
join stored.queries q on q.query = m.query;

-- their means for each pair of languages; a mean rank is null where one is beyond the depth searched, which counts as 0
-- in an MRR
create or replace view passage_language_ranks as
select run_id, run_name, arm, experiment, task, task_id, query_language, passage_language,
    if(count(rank) = count(*), avg(rank), null) as mean_rank,
    if(count(rank) = count(*), avg(single_target_rank), null) as single_target_rank,
    avg(coalesce(1 / single_target_rank, 0)) as single_target_mrr, count(*) as queries
from single_target_ranks
group by all;

-- what it costs that the other languages are searched too: MRR of a language's passages in their own pool minus their
-- single-target MRR in the pool of all
create or replace view language_cost as
select s.run_id, s.run_name, s.arm, s.experiment, s.task, s.task_id, m.setting, s.query_language,
    s.passage_language as pool_language, m.value as mrr, s.single_target_mrr, m.value - s.single_target_mrr as cost,
    s.queries
from passage_language_ranks s
join cell_measures m on m.run_id = s.run_id and m.task = s.task and m.task_id = s.task_id
    and m.query_language = s.query_language and m.pool_language = s.passage_language and m.measure = 'mrr';
