-- Fails, and changes nothing, when a batch was written in portions: there is no room for their accounts, nor for
-- a batch that was given up before its last portion, which would count as read.
DO $$
BEGIN
    IF EXISTS (SELECT FROM redis2pg.batches WHERE portion > 0 OR NOT is_whole) THEN
        RAISE EXCEPTION 'redis2pg.batches holds batches that were written in portions';
    END IF;
END $$;

ALTER TABLE redis2pg.rejects DROP COLUMN element;
COMMENT ON COLUMN redis2pg.rejects.raw IS NULL;

ALTER TABLE redis2pg.batch_counts
    DROP CONSTRAINT batch_counts_run_pass_batch_portion_fkey,
    DROP CONSTRAINT batch_counts_pkey;

ALTER TABLE redis2pg.batches
    DROP CONSTRAINT batches_pkey,
    ADD PRIMARY KEY (run, pass, number),
    DROP COLUMN portion,
    DROP COLUMN is_whole;

ALTER TABLE redis2pg.batch_counts
    ADD PRIMARY KEY (run, pass, batch, entity),
    ADD FOREIGN KEY (run, pass, batch) REFERENCES redis2pg.batches ON DELETE CASCADE,
    DROP COLUMN portion;
