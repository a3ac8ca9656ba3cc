-- Batches in portions, and rejects of elements.

-- A batch whose records give more rows than it should hold is written in portions, each by its own
-- transaction, and accounted for by each. The scan stands after the batch once its last portion is written: the
-- others have the position before it. A batch that was given up in between stays so.
ALTER TABLE redis2pg.batches
    ADD COLUMN portion  integer NOT NULL DEFAULT 0,    -- from 0
    ADD COLUMN is_whole boolean NOT NULL DEFAULT true; -- the last portion

ALTER TABLE redis2pg.batch_counts ADD COLUMN portion integer NOT NULL DEFAULT 0;

ALTER TABLE redis2pg.batch_counts
    DROP CONSTRAINT batch_counts_run_pass_batch_fkey,
    DROP CONSTRAINT batch_counts_pkey;

ALTER TABLE redis2pg.batches
    DROP CONSTRAINT batches_pkey,
    ADD PRIMARY KEY (run, pass, number, portion);

ALTER TABLE redis2pg.batch_counts
    ADD PRIMARY KEY (run, pass, batch, portion, entity),
    ADD FOREIGN KEY (run, pass, batch, portion) REFERENCES redis2pg.batches ON DELETE CASCADE;

-- Which element of the key was refused: the index of a list's element or of one of the array that `each` walks
-- over, the id of a stream's entry, as shown text. Null for a whole key; the member of a set is in the value or in
-- the record.
ALTER TABLE redis2pg.rejects ADD COLUMN element text;

-- An array may be big and have many bad elements: its record is kept once, with the first reject of the record in
-- its batch. With the later ones raw is empty.
COMMENT ON COLUMN redis2pg.rejects.raw IS
    'the record as one RESP array: key, type, time to live in ms (of a list the index), values; empty (zero bytes) '
    'when an earlier reject of the same run, pass, batch, entity and key holds the record that both are of';
