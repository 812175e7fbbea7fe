-- The store's tables, version 1; leakage.sql, published.sql and synthetic.sql add to them. Facts hold integer codes and
-- are sorted by run and cell; what the codes stand for is in the tables before them, and views.sql joins the names
-- back. There is no key and no index: a scan of sorted codes is fast, an index on three columns makes a fact table seven
-- times its size, and replaying a log with indexes is where DuckDB's open crash reports are.

create schema stored;

create table stored.schema_version (
    version integer not null,
    applied timestamp not null                 -- UTC, as all times here
);

create table stored.runs (
    run integer not null,
    run_id varchar not null,
    run_name varchar not null,                 -- run_id without time and suffix: hybrid-a50-s0
    experiment varchar not null,
    arm varchar not null,
    sampling varchar,                          -- null: evaluated only
    alpha double,                              -- null unless the sampling is hybrid or mixed
    model varchar not null,
    seed bigint not null,
    state varchar not null,
    created timestamp,
    started timestamp,
    ended timestamp not null,                  -- time of the last event
    seconds double,                            -- at work, the stages together
    device varchar,
    threads integer,
    host varchar,
    steps bigint,                              -- planned
    batch_size integer,
    learning_rate double,
    temperature double,
    parameters bigint,
    message varchar,                           -- why a failed run failed
    config json not null,
    environment json,
    fingerprints json
);

create table stored.tasks (
    task integer not null,
    name varchar not null,
    task_id varchar not null,                  -- hash of loader, options and fingerprint: what makes results comparable
    fingerprint varchar,
    options json,
    queries json,                              -- number by language
    candidates json                            -- number by language
);

create table stored.cells (
    cell integer not null,
    task integer not null,
    setting varchar not null,
    query_language varchar not null,
    pool_language varchar not null             -- '*': the candidates of all languages together
);

create table stored.queries (
    query integer not null,
    task integer not null,
    query_id varchar not null,
    paragraph varchar,
    article varchar
);

create table stored.passages (
    passage integer not null,
    task integer not null,
    passage_id varchar not null,
    passage_language varchar                   -- null while only known as found first in the multilingual pool
);

create table stored.relevants (                -- the qrels
    relevant integer not null,
    query integer not null,
    passage integer not null,
    relevance smallint not null
);

create table stored.measures (
    measure integer not null,
    name varchar not null
);

create table stored.languages (
    language integer not null,
    name varchar not null
);

-- sorted by run, cell and relevant: relevants are numbered by passage language and query, so that within a cell the
-- codes count up by one and only the ranks cost space
create table stored.relevant_ranks (
    run integer not null,
    cell integer not null,
    relevant integer not null,
    rank integer                               -- null: beyond the depth searched
);

create table stored.retrieved_languages (
    run integer not null,
    cell integer not null,
    depth smallint not null,
    language integer not null,
    query integer not null,
    passages smallint not null
);

create table stored.first_passages (
    run integer not null,
    cell integer not null,
    query integer not null,
    passage integer not null
);

create table stored.measurements (
    run integer not null,
    cell integer not null,
    measure integer not null,
    value float,
    queries integer not null
);

create table stored.training_steps (
    run integer not null,
    step integer not null,
    time timestamp,
    loss float,
    learning_rate double,
    gradient_norm float,
    batch_kind varchar,
    training_set varchar,
    pairs_per_second float,
    validation_loss float                      -- null where it was not measured
);

create table stored.sampled_pairs (
    run integer not null,
    training_set varchar not null,
    kind varchar not null,
    query_language varchar not null,
    passage_language varchar not null,
    pairs bigint not null
);

create table stored.sampled_batches (
    run integer not null,
    training_set varchar not null,
    kind varchar not null,
    batches bigint not null
);
