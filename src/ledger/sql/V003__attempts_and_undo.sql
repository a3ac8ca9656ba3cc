-- Going on with interrupted runs, undoing runs, and replaying rejects.

ALTER TABLE redis2pg.runs
    ADD COLUMN attempt integer NOT NULL DEFAULT 0, -- the only one that may write batches
    ADD COLUMN backend integer,                    -- process id of the session that holds the target's lock
    ADD COLUMN owner uuid,                         -- the process that may close it: its own at random
    ADD COLUMN undoes bigint REFERENCES redis2pg.runs ON DELETE CASCADE, -- of a rollback: what it undoes
    ADD COLUMN undone_by bigint REFERENCES redis2pg.runs ON DELETE SET NULL; -- the rollback that undid it, or is at it

COMMENT ON COLUMN redis2pg.runs.status IS
    'open | completed | completed_with_rejects | failed | interrupted | rolled_back';

-- A run is begun once and may be continued, by another process or, when Redis was started anew, by the same one.
CREATE TABLE redis2pg.attempts (
    run           bigint      NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    attempt       integer     NOT NULL, -- from 0
    host          text        NOT NULL,
    pid           integer     NOT NULL,
    source_run_id text        NOT NULL, -- of the Redis process that it reads; empty for a run that reads none
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Where it begins to read: all before is in batches of earlier attempts.
    pass          integer     NOT NULL,
    cursor        numeric(20) NOT NULL,
    first_batch   bigint      NOT NULL, -- number of its first batch in that pass
    PRIMARY KEY (run, attempt)
);

INSERT INTO redis2pg.attempts (run, attempt, host, pid, source_run_id, started_at, pass, cursor, first_batch)
SELECT run, 0, host, pid, source_run_id, started_at, 0, 0, 0 FROM redis2pg.runs;

-- An interrupted run that can be continued keeps what it has claimed, whatever else runs meanwhile.
ALTER TABLE redis2pg.claims
    DROP CONSTRAINT claims_pkey,
    ADD PRIMARY KEY (run, target, identity);

ALTER TABLE redis2pg.batches
    ADD COLUMN attempt integer NOT NULL DEFAULT 0,
    -- The scan stands between two pages after the batch: only there can another attempt go on.
    ADD COLUMN is_page_end boolean NOT NULL DEFAULT false,
    -- A later attempt reads its keys again. Of its account only the rows that it wrote are left: they are not
    -- counted a second time when they are met again.
    ADD COLUMN is_superseded boolean NOT NULL DEFAULT false;

-- What a rollback needs to know of the tables that a run wrote to, and of the key by which it found rows.
ALTER TABLE redis2pg.run_entities
    ADD COLUMN schema_name text,
    ADD COLUMN table_name  text,
    ADD COLUMN key_columns text[],
    ADD COLUMN masked_columns text[], -- of them, those that the mapping calls sensitive: no report shows their values
    ADD COLUMN keys text; -- the pattern of the keys that the run took for the entity's

-- Operations are insert, update and delete. One row of insert is about all rows that a batch inserted for an
-- entity: before is an array of their keys, as objects. The others hold one row's image each; there is none where the run
-- overwrote or deleted what it had itself written.
ALTER TABLE redis2pg.undo
    ADD COLUMN entity integer, -- number in run_entities
    -- Of an image, the transaction that had written the row. A rollback that puts the image back makes the row
    -- again what that one had left.
    ADD COLUMN author xid;

COMMENT ON COLUMN redis2pg.undo.operation IS 'insert | update | delete';
COMMENT ON COLUMN redis2pg.undo.before IS
    'insert: an array of the keys of at most 10000 rows, as objects; else the row as an object. Values that JSON would '
    'change (json, arrays, times, …) are strings there: the text that PostgreSQL writes of them';

-- A foreign key is checked row by row, at more than it costs to write an entry: undo has none. What is deleted from
-- runs takes its entries along, by the statement.
ALTER TABLE redis2pg.undo DROP CONSTRAINT undo_run_fkey;

CREATE FUNCTION redis2pg.forget_undo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM redis2pg.undo WHERE run IN (SELECT run FROM gone);
    RETURN NULL;
END $$;

CREATE TRIGGER runs_forget_undo AFTER DELETE ON redis2pg.runs
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION redis2pg.forget_undo();

DROP INDEX redis2pg.undo_run_idx;
CREATE INDEX undo_run_idx ON redis2pg.undo (run, entity, undo);

-- Rows that a rollback did not undo, and why.
CREATE TABLE redis2pg.kept (
    kept    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run     bigint  NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE, -- the rollback
    undo    bigint  NOT NULL, -- the entry of undo that it is about
    entity  integer NOT NULL, -- number in run_entities, of the rollback and of what it undoes
    key     json    NOT NULL,
    reason  text    NOT NULL,
    changed text[],           -- columns that differ from what the run left, where that is known
    -- Something else is in the way (a row that refers to it, a unique value): it is tried again at the end.
    is_blocked boolean NOT NULL
);

CREATE INDEX kept_run_idx ON redis2pg.kept (run, entity, kept);

-- A reject is open while neither is set.
ALTER TABLE redis2pg.rejects
    -- The run that refused the same record again: its own reject has taken this one's place.
    ADD COLUMN replaced_by bigint REFERENCES redis2pg.runs ON DELETE SET NULL;

-- When the record was read that the reject is about. One that takes another's place, after the same record was
-- tried again, takes over its time to the microsecond: so they are known to be of the same reading.
ALTER TABLE redis2pg.rejects ADD COLUMN read_at timestamptz;
UPDATE redis2pg.rejects SET read_at = rejected_at;
ALTER TABLE redis2pg.rejects
    ALTER COLUMN read_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN read_at SET NOT NULL;

COMMENT ON COLUMN redis2pg.rejects.resolved_by IS 'the run in which the record passed, or was found to be gone';

-- A key may be longer than an entry of an index.
CREATE INDEX rejects_open_idx ON redis2pg.rejects (entity, md5(key)) WHERE resolved_by IS NULL AND replaced_by IS NULL;
