-- Fails, and changes nothing, while constraints are set aside: their definitions would be lost.
DO $$
BEGIN
    IF EXISTS (SELECT FROM redis2pg.set_aside WHERE restored_at IS NULL) THEN
        RAISE EXCEPTION 'redis2pg.set_aside holds constraints that were not put back';
    END IF;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression') THEN
        ALTER TABLE redis2pg.undo ALTER COLUMN before SET COMPRESSION default;
    END IF;
END $$;

DROP TABLE redis2pg.again;
ALTER TABLE redis2pg.undo DROP COLUMN loaded_keys, DROP COLUMN loaded_by;
DROP TABLE redis2pg.set_aside;
COMMENT ON COLUMN redis2pg.runs.strategy IS NULL;
