-- One run's results as they lie in its directory, on their way into the store.

create or replace temp table incoming_tasks (
    task varchar not null, task_id varchar not null, fingerprint varchar, options json, queries json, candidates json
);
create or replace temp table incoming_queries (
    task varchar not null, query_id varchar not null, paragraph varchar, article varchar
);
create or replace temp table incoming_relevant_ranks (
    task varchar not null, setting varchar not null, query_language varchar not null,
    pool_language varchar not null, query_id varchar not null, passage_id varchar not null,
    passage_language varchar not null, relevance smallint not null, rank integer
);
create or replace temp table incoming_retrieved_languages (
    task varchar not null, query_language varchar not null, query_id varchar not null, depth smallint not null,
    passage_language varchar not null, passages smallint not null
);
create or replace temp table incoming_first_passages (
    task varchar not null, setting varchar not null, query_language varchar not null,
    pool_language varchar not null, query_id varchar not null, passage_id varchar not null
);
create or replace temp table incoming_measurements (
    task varchar not null, setting varchar not null, query_language varchar not null,
    pool_language varchar not null, measure varchar not null, value double, queries integer not null
);
create or replace temp table incoming_sampled_pairs (
    training_set varchar not null, kind varchar not null, query_language varchar not null,
    passage_language varchar not null, pairs bigint not null
);
create or replace temp table incoming_sampled_batches (
    training_set varchar not null, kind varchar not null, batches bigint not null
);
create or replace temp table incoming_synthetic_pairs (
    training_set varchar not null, kind varchar not null, query_language varchar not null,
    passage_language varchar not null, query_made_by varchar, passage_made_by varchar, pairs bigint not null
);
create or replace temp table incoming_synthetic_texts (
    training_set varchar not null, language varchar not null, made_by varchar not null, made bigint,
    kept bigint not null, details json
);
create or replace temp table incoming_leakage (
    task varchar not null, training_set varchar not null, language varchar not null, kind varchar not null,
    texts integer not null, hits integer not null, exact integer not null, pairs integer not null,
    dropped boolean not null
);
