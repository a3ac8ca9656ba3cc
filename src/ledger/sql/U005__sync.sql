-- Fails, and changes nothing, while a sync has a checkpoint: it would be lost.
DO $$
BEGIN
    IF EXISTS (SELECT FROM redis2pg.sync WHERE replication_id IS NOT NULL) THEN
        RAISE EXCEPTION 'redis2pg.sync holds the checkpoint of a sync';
    END IF;
END $$;

ALTER TABLE redis2pg.undo DROP COLUMN identity;
DROP INDEX redis2pg.batches_xid_idx;
DROP TABLE redis2pg.holders;
DROP TABLE redis2pg.lifetimes;
DROP TABLE redis2pg.parked;
DROP TABLE redis2pg.sync;
ALTER TABLE redis2pg.runs DROP COLUMN undo_kept_since, DROP COLUMN batches_dropped;
COMMENT ON COLUMN redis2pg.runs.kind IS
    'run | replay | rollback | repair | reconcile; only a reconciliation changes nothing in the target''s tables';
