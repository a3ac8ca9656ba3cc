COMMENT ON COLUMN redis2pg.runs.kind IS NULL;
ALTER TABLE redis2pg.runs
    DROP COLUMN redis_version,
    DROP COLUMN postgres_version,
    DROP COLUMN result;
