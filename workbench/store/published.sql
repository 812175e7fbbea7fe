-- Version 4: the figures of the published tables, out of published.csv.

create table stored.published_measurements (
    arxiv_id varchar not null,
    model varchar not null,
    sampling varchar not null,
    task varchar not null,                     -- by the name that the set has here
    setting varchar not null,
    query_language varchar not null,           -- 'mean': the mean over the query languages, as printed
    measure varchar not null,
    value double not null
);

insert into stored.published_measurements
from read_csv(getvariable('published'), header = true, auto_detect = false, delim = ',', quote = '"', columns = {
    arxiv_id: 'varchar', model: 'varchar', sampling: 'varchar', task: 'varchar', setting: 'varchar',
    query_language: 'varchar', measure: 'varchar', value: 'double'
});
