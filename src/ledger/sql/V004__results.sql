-- What a report of an earlier run is made of.

ALTER TABLE redis2pg.runs
    ADD COLUMN redis_version    text, -- as INFO says it; null where Redis was not asked
    ADD COLUMN postgres_version text,
    -- Of a reconciliation: its result, as `reconcile --json` gave it, with sensitive values masked.
    ADD COLUMN result json;

COMMENT ON COLUMN redis2pg.runs.kind IS
    'run | replay | rollback | repair | reconcile; only a reconciliation changes nothing in the target''s tables';
