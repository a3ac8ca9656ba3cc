DROP TABLE redis2pg.undo;
DROP TABLE redis2pg.rejects;
DROP TABLE redis2pg.claims;
DROP TABLE redis2pg.batch_counts;
DROP TABLE redis2pg.batches;
DROP TABLE redis2pg.run_entities;
DROP TABLE redis2pg.runs;
