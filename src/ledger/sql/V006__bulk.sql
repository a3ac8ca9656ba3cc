-- Loading into empty tables whose keys and indexes are put back at the end.

COMMENT ON COLUMN redis2pg.runs.strategy IS 'merge | bulk';

-- What a bulk load has taken off its tables, by the transaction that took it off.
CREATE TABLE redis2pg.set_aside (
    run                bigint  NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    number             integer NOT NULL,
    target             oid     NOT NULL, -- the table that it is of
    target_name        text    NOT NULL, -- quoted, for SQL
    kind               text    NOT NULL CHECK (kind IN ('index', 'foreign')), -- of a primary key its index
    name               text    NOT NULL,
    create_index       text,             -- CREATE INDEX …; null of a foreign key
    add_constraint     text,             -- ALTER TABLE …; null of an index that is behind no constraint
    comments           text,             -- COMMENT ON …, when there was one
    is_unique          boolean NOT NULL DEFAULT false, -- an index that takes no two equal rows
    is_plain           boolean NOT NULL DEFAULT false, -- and has no expression and no WHERE, and is checked row by row
    key_expressions    text[],           -- of an index: what it is over, as SQL
    predicate          text,             -- of a partial index, as SQL
    is_nulls_equal     boolean NOT NULL DEFAULT false, -- NULLS NOT DISTINCT
    columns            text[]  NOT NULL, -- of an index over expressions: of those that are columns
    referenced         oid,              -- of a foreign key: the parent
    referenced_name    text,             -- quoted
    referenced_columns text[],
    built_at           timestamptz,      -- of an index: it is built; of a foreign key: it is there, not validated
    restored_at        timestamptz,      -- written by the transaction that put it back
    given_up           text,             -- why it is not put back after all: the schema has changed meanwhile
    PRIMARY KEY (run, number)
);

COMMENT ON COLUMN redis2pg.set_aside.number IS
    'indexes, then foreign keys, those of parents before those of their children';

-- While the load is under way an entry of insert holds the Redis keys that its rows came from, in the order of
-- before, and the transaction that wrote them.
ALTER TABLE redis2pg.undo ADD COLUMN loaded_keys bytea[], ADD COLUMN loaded_by xid;
ALTER TABLE redis2pg.undo ALTER COLUMN loaded_keys SET STORAGE EXTERNAL;

-- Identities come by the thousand, and pglz takes a tenth of a load's time for them. From PostgreSQL 14 on, where it
-- was built with LZ4.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE redis2pg.undo ALTER COLUMN before SET COMPRESSION lz4;
    END IF;
END $$;

-- Redis keys of rows that a bulk load took out of the tables again, because a constraint could not be put back
-- over them: they are merged once all are in place, in the order in which they were read.
CREATE TABLE redis2pg.again (
    run    bigint  NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    entity integer NOT NULL,
    undo   bigint  NOT NULL, -- the entry that held the row: of the transaction that wrote it
    batch  bigint  NOT NULL,
    place  integer NOT NULL, -- of the row in that entry, as it was then
    key    bytea   NOT NULL,
    number bigint  GENERATED ALWAYS AS IDENTITY -- of those of a batch in the order of reading
);

CREATE UNIQUE INDEX again_run_idx ON redis2pg.again (run, entity, batch, number);
