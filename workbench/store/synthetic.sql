-- Version 5: what was synthetic of the training data, and made by what.

create table stored.synthetic_pairs (          -- those of stored.sampled_pairs that are synthetic: either text is
    run integer not null,
    training_set varchar not null,
    kind varchar not null,
    query_language varchar not null,
    passage_language varchar not null,
    query_made_by varchar,                     -- null: a person
    passage_made_by varchar,                   -- null: a person
    pairs bigint not null
);

create table stored.synthetic_texts (          -- what there was to draw from
    run integer not null,
    training_set varchar not null,
    language varchar not null,                 -- mul: words of several
    made_by varchar not null,
    made bigint,                               -- pairs; null: made elsewhere, and nobody said how many
    kept bigint not null,                      -- of these, after filtering
    details json                               -- rejected by rule, corrupted by kind, words switched
);
