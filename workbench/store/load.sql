-- From the staged results of one run to coded rows, inside the transaction that ingests it. The run's code is in the
-- variable `run`. error() ends the transaction: nothing of the run is stored then.

-- what the files must agree on among themselves
select error('relevant_ranks.parquet: rank ' || rank || ' of query ' || query_id || '; the best rank is 1')
from incoming_relevant_ranks where rank < 1;

select error(file || ': unknown task ' || task || '; tasks.json lists '
    || coalesce((select string_agg(task, ', ' order by task) from incoming_tasks), 'none'))
from (
    select 'queries.parquet' as file, task from incoming_queries
    union select 'relevant_ranks.parquet', task from incoming_relevant_ranks
    union select 'retrieved_languages.parquet', task from incoming_retrieved_languages
    union select 'top_passages.parquet', task from incoming_first_passages
    union select 'measurements.parquet', task from incoming_measurements
    union select 'leakage.parquet', task from incoming_leakage
) anti join incoming_tasks using (task);

select error(file || ': query ' || query_id || ' of task ' || task || ' is not in queries.parquet')
from (
    select 'relevant_ranks.parquet' as file, task, query_id from incoming_relevant_ranks
    union select 'retrieved_languages.parquet', task, query_id from incoming_retrieved_languages
    union select 'top_passages.parquet', task, query_id from incoming_first_passages
) anti join incoming_queries using (task, query_id);

select error(any_value(file) || ': occurs more than once: ' || any_value(thing))
from (
    select 'tasks.json' as file, task as thing from incoming_tasks
    union all select 'queries.parquet', task || ' ' || query_id from incoming_queries
    union all
    select 'measurements.parquet', concat_ws(' ', task, setting, query_language, pool_language, measure)
    from incoming_measurements
) group by file, thing having count(*) > 1;

-- tasks
select error('tasks.json: ' || task || ' has the task_id ' || task_id || ' of a stored task that differs in '
    || case when s.fingerprint is distinct from i.fingerprint then 'fingerprint'
            when s.options is distinct from i.options then 'options'
            when s.queries is distinct from i.queries then 'queries' else 'candidates' end)
from incoming_tasks i join (select * exclude (task) from stored.tasks) s using (task_id)
where (s.fingerprint, s.options, s.queries, s.candidates)
    is distinct from (i.fingerprint, i.options, i.queries, i.candidates);

insert into stored.tasks
select (select coalesce(max(task), 0) from stored.tasks) + row_number() over (order by task, task_id),
    task, task_id, fingerprint, options, queries, candidates
from incoming_tasks i
where not exists (from stored.tasks s where s.name = i.task and s.task_id = i.task_id);

create or replace temp table task_codes as
select i.task as name, s.task
from incoming_tasks i join stored.tasks s on s.name = i.task and s.task_id = i.task_id;

-- cells
create or replace temp table incoming_cells as
select c.task, setting, query_language, pool_language
from (
    select distinct task as name, setting, query_language, pool_language from incoming_relevant_ranks
    union select distinct task, setting, query_language, pool_language from incoming_first_passages
    union select distinct task, setting, query_language, pool_language from incoming_measurements
    union select distinct task, 'multilingual', query_language, '*' from incoming_retrieved_languages
) join task_codes c using (name);

insert into stored.cells
select (select coalesce(max(cell), 0) from stored.cells)
        + row_number() over (order by task, setting, query_language, pool_language),
    task, setting, query_language, pool_language
from (from incoming_cells anti join stored.cells using (task, setting, query_language, pool_language));

create or replace temp table cell_codes as
select c.name as task, s.cell, setting, query_language, pool_language
from stored.cells s join task_codes c using (task);

-- queries
create or replace temp table coded_queries as
select c.task, query_id, paragraph, article from incoming_queries i join task_codes c on c.name = i.task;

select error('queries.parquet: query ' || query_id || ' is stored with another paragraph or article for this task_id')
from coded_queries i join stored.queries s using (task, query_id)
where (s.paragraph, s.article) is distinct from (i.paragraph, i.article);

insert into stored.queries
select (select coalesce(max(query), 0) from stored.queries) + row_number() over (order by task, query_id),
    task, query_id, paragraph, article
from (from coded_queries anti join stored.queries using (task, query_id));

create or replace temp table query_codes as
select c.name as task, query, query_id from stored.queries join task_codes c using (task);

-- passages
create or replace temp table coded_passages as
select c.task, passage_id, passage_language
from (
    select task as name, passage_id, passage_language from incoming_relevant_ranks
    union
    select task, passage_id, nullif(pool_language, '*') from incoming_first_passages
) join task_codes c using (name);

select error('passage ' || passage_id || ' is in the languages ' || string_agg(distinct passage_language, ', '))
from (
    select task, passage_id, passage_language from coded_passages
    union
    select task, passage_id, passage_language from stored.passages semi join coded_passages using (task, passage_id)
) group by task, passage_id having count(distinct passage_language) > 1;

update stored.passages s set passage_language = i.passage_language
from coded_passages i
where s.task = i.task and s.passage_id = i.passage_id
    and s.passage_language is null and i.passage_language is not null;

insert into stored.passages
select (select coalesce(max(passage), 0) from stored.passages)
        + row_number() over (order by task, passage_language nulls last, passage_id),
    task, passage_id, passage_language
from (
    select task, passage_id, max(passage_language) as passage_language
    from coded_passages anti join stored.passages using (task, passage_id)
    group by task, passage_id
);

create or replace temp table passage_codes as
select c.name as task, passage, passage_id, passage_language from stored.passages join task_codes c using (task);

-- relevants
create or replace temp table coded_relevants as
select distinct query, passage, passage_language, relevance
from (select distinct task, query_id, passage_id, relevance from incoming_relevant_ranks)
left join query_codes using (task, query_id) left join passage_codes using (task, passage_id);

select error('relevant_ranks.parquet: query ' || query_id || ' and passage ' || passage_id
    || ' have the relevances ' || string_agg(relevance, ', '))
from (
    select query, passage, relevance from coded_relevants
    union
    select query, passage, relevance from stored.relevants semi join coded_relevants using (query, passage)
) join query_codes using (query) join passage_codes using (passage)
group by query_id, passage_id having count(distinct relevance) > 1;

insert into stored.relevants
select (select coalesce(max(relevant), 0) from stored.relevants)
        + row_number() over (order by passage_language, query, passage),
    query, passage, relevance
from (from coded_relevants anti join stored.relevants using (query, passage));

create or replace temp table relevant_codes as
select q.task, q.query_id, p.passage_id, r.relevant
from stored.relevants r join query_codes q using (query) left join passage_codes p using (passage);

-- measures and languages
insert into stored.measures
select (select coalesce(max(measure), 0) from stored.measures) + row_number() over (order by name), name
from (select distinct measure as name from incoming_measurements) anti join stored.measures using (name);

insert into stored.languages
select (select coalesce(max(language), 0) from stored.languages) + row_number() over (order by name), name
from (select distinct passage_language as name from incoming_retrieved_languages) anti join stored.languages using (name);

-- facts. Outer joins, so that they are made in the order in which they stand: free to choose, the optimiser pairs every
-- query of a task with its every passage. A code that is not found is null, and refused by the table.
insert into stored.relevant_ranks
select getvariable('run'), cell, relevant, rank
from incoming_relevant_ranks
left join cell_codes using (task, setting, query_language, pool_language)
left join relevant_codes using (task, query_id, passage_id)
order by cell, relevant;

insert into stored.retrieved_languages
select getvariable('run'), cell, depth, l.language, query, passages
from incoming_retrieved_languages i
left join cell_codes c on c.task = i.task and c.query_language = i.query_language and c.setting = 'multilingual'
left join query_codes q on q.task = i.task and q.query_id = i.query_id
left join stored.languages l on l.name = i.passage_language
order by cell, depth, l.language, if((cell + depth // 100 + l.language) % 2 = 0, query, -query);

insert into stored.first_passages
select getvariable('run'), cell, query, passage
from incoming_first_passages
left join cell_codes using (task, setting, query_language, pool_language)
left join query_codes using (task, query_id)
left join passage_codes using (task, passage_id)
order by cell, if(cell % 2 = 0, query, -query);

insert into stored.measurements
select getvariable('run'), cell, s.measure, if(isfinite(value), try_cast(value as float), null), queries
from incoming_measurements i
left join cell_codes using (task, setting, query_language, pool_language)
left join stored.measures s on s.name = i.measure
order by cell, s.measure;

insert into stored.sampled_pairs
select getvariable('run'), * from incoming_sampled_pairs order by all;

insert into stored.sampled_batches
select getvariable('run'), * from incoming_sampled_batches order by all;

insert into stored.synthetic_pairs
select getvariable('run'), * from incoming_synthetic_pairs order by all;

insert into stored.synthetic_texts
select getvariable('run'), * from incoming_synthetic_texts order by all;

insert into stored.leakage
select getvariable('run'), c.task, i.* exclude (task)
from incoming_leakage i join task_codes c on c.name = i.task
order by all;

select error('relevant_ranks.parquet: passage ' || passage_id || ' is ranked more than once for query ' || query_id
    || ' in ' || concat_ws(' ', setting, query_language, pool_language))
from (
    select cell, relevant from stored.relevant_ranks where run = getvariable('run')
    group by cell, relevant having count(*) > 1
) join cell_codes using (cell) join relevant_codes using (relevant);
