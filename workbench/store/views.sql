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

create or replace view cell_measures as
select r.run_id, r.run_name, r.arm, r.experiment, t.name as task, t.task_id, c.setting, c.query_language,
    c.pool_language, m.name as measure, f.value, f.queries
from stored.measurements f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.measures m on m.measure = f.measure;

-- macro means: every cell of a setting counts alike
create or replace view setting_measures as
select r.run_id, r.run_name, r.arm, r.experiment, r.sampling, r.alpha, r.seed, t.name as task, t.task_id, s.setting,
    m.name as measure, s.value, s.cells
from (
    select f.run, c.task, c.setting, f.measure, avg(f.value) as value, count(f.value) as cells
    from stored.measurements f join stored.cells c on c.cell = f.cell
    group by f.run, c.task, c.setting, f.measure
) s
join stored.runs r on r.run = s.run
join stored.tasks t on t.task = s.task
join stored.measures m on m.measure = s.measure
where r.state = 'finished';

-- over seeds; a seed that was run twice counts once, by its latest run
create or replace view arm_measures as
select arm, experiment, sampling, alpha, task, task_id, setting, measure, avg(value) as mean,
    stddev_samp(value) as standard_deviation, count(*) as n
from (
    select arm, experiment, sampling, alpha, task, task_id, setting, measure, seed, arg_max(value, run_id) as value
    from setting_measures
    group by all
)
group by all;

-- cell_measures once more, worked out from the ranks: what to start from for a measure of one's own
create or replace view rank_measures as
with ranked as (
    select *,
        row_number() over (partition by run_id, task, task_id, setting, query_language, pool_language, query_id
            order by rank nulls last) as place,
        row_number() over (partition by run_id, task, task_id, setting, query_language, pool_language, query_id
            order by relevance desc) as ideal_place
    from relevant_ranks
),
per_query as (
    select run_id, task, task_id, setting, query_language, pool_language, query_id,
        coalesce(sum(place / rank), 0) / count(*) as map,
        coalesce(sum(place / rank) filter (rank <= 20), 0) / count(*) as map_20,
        count(*) filter (rank <= 1) / count(*) as recall_1,
        count(*) filter (rank <= 10) / count(*) as recall_10,
        count(*) filter (rank <= 100) / count(*) as recall_100,
        coalesce(1 / min(rank), 0) as mrr,
        coalesce(sum(relevance / log2(rank + 1)) filter (rank <= 10), 0)
            / sum(relevance / log2(ideal_place + 1)) filter (ideal_place <= 10) as ndcg_10,
        case when setting = 'multilingual' and count(*) > 1 then max(rank) - min(rank) end as distance,
        setting = 'multilingual' and count(*) > 1 and count(rank) < count(*) as distance_unknown,
        case when setting = 'multilingual' and count(*) > 1 and bool_or(passage_language = query_language)
            then coalesce(bool_or(passage_language = query_language and rank is not null and place = 1), false)::int end
            as own_first
    from ranked
    group by all
)
select 1;
