-- Version 3: training texts that stand in evaluation tasks.

alter table stored.runs add column leaked boolean;  -- trained on texts of its tasks; null: not looked for

create table stored.leakage (                  -- of a run that was checked: no row, nothing found
    run integer not null,
    task integer not null,
    training_set varchar not null,
    language varchar not null,
    kind varchar not null,                     -- query, passage
    texts integer not null,                    -- of the task, looked up
    hits integer not null,                     -- of these, found in the training set
    exact integer not null,                    -- of these, equal to a training text
    pairs integer not null,                    -- training pairs that the hits concern
    dropped boolean not null                   -- whether they were left out
);
