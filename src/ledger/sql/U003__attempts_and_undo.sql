-- Fails, and changes nothing, when a run was continued or undone: what it read twice would count twice.
DO $$
BEGIN
    IF EXISTS (SELECT FROM redis2pg.runs WHERE attempt > 0 OR undoes IS NOT NULL) THEN
        RAISE EXCEPTION 'redis2pg.runs holds runs that were continued or undone';
    END IF;
END $$;

DROP INDEX redis2pg.rejects_open_idx;
ALTER TABLE redis2pg.rejects
    DROP COLUMN replaced_by,
    DROP COLUMN read_at;
COMMENT ON COLUMN redis2pg.rejects.resolved_by IS NULL;

DROP TABLE redis2pg.kept;

DROP TRIGGER runs_forget_undo ON redis2pg.runs;
DROP FUNCTION redis2pg.forget_undo();
DELETE FROM redis2pg.undo WHERE operation = 'insert';
ALTER TABLE redis2pg.undo ADD FOREIGN KEY (run) REFERENCES redis2pg.runs ON DELETE CASCADE;
DROP INDEX redis2pg.undo_run_idx;
CREATE INDEX undo_run_idx ON redis2pg.undo (run, pass, batch);
COMMENT ON COLUMN redis2pg.undo.operation IS NULL;
COMMENT ON COLUMN redis2pg.undo.before IS NULL;
ALTER TABLE redis2pg.undo
    DROP COLUMN entity,
    DROP COLUMN author;

ALTER TABLE redis2pg.run_entities
    DROP COLUMN schema_name,
    DROP COLUMN table_name,
    DROP COLUMN key_columns,
    DROP COLUMN masked_columns,
    DROP COLUMN keys;

ALTER TABLE redis2pg.batches
    DROP COLUMN attempt,
    DROP COLUMN is_page_end,
    DROP COLUMN is_superseded;

TRUNCATE redis2pg.claims;
ALTER TABLE redis2pg.claims
    DROP CONSTRAINT claims_pkey,
    ADD PRIMARY KEY (target, identity);

DROP TABLE redis2pg.attempts;

COMMENT ON COLUMN redis2pg.runs.status IS NULL;
ALTER TABLE redis2pg.runs
    DROP COLUMN attempt,
    DROP COLUMN backend,
    DROP COLUMN owner,
    DROP COLUMN undoes,
    DROP COLUMN undone_by;
