-- Following changes: how far a sync has come, which rows wait for others, and when keys end.

COMMENT ON COLUMN redis2pg.runs.kind IS
    'run | sync | replay | rollback | repair | reconcile | cutover; only a reconciliation and a cutover change '
    'nothing in the target''s tables';

-- Of a run that lasts, images and batches that are old are dropped: then it can no longer be undone.
ALTER TABLE redis2pg.runs
    ADD COLUMN undo_kept_since timestamptz, -- null: all of them are kept
    ADD COLUMN batches_dropped bigint NOT NULL DEFAULT 0;

-- Where the sync of this target stands: one row, since one run at a time may write to a target.
CREATE TABLE redis2pg.sync (
    only_row       boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_row),
    mapping        text        NOT NULL,
    mapping_digest text        NOT NULL, -- SHA-256 of the mapping files' texts
    source         text        NOT NULL, -- where Redis is, without user and password
    former_sources text[]      NOT NULL DEFAULT '{}', -- where it was before a failover: what was refused there is too
    capture        text        NOT NULL CHECK (capture IN ('replica', 'notify')),
    run            bigint      REFERENCES redis2pg.runs ON DELETE SET NULL, -- the newest of the sync's runs
    -- The checkpoint: all that stands before this place in the stream is in the target. Written by the
    -- transactions that write the rows. Null: there is none, all keys have to be read first.
    replication_id text,
    stream_offset  numeric(20),
    stream_database integer,             -- that is selected at that place; null: the stream has not said it
    checkpoint_at  timestamptz,
    -- Why all keys have to be read again before the checkpoint can be relied on (a gap, FLUSHDB, …); null: no.
    rescan_reason  text,
    -- As the process sees it, about every second; it has ended when nobody holds the target's lock.
    state          text        NOT NULL DEFAULT 'stopped'
                               CHECK (state IN ('loading', 'following', 'paused', 'stopped')),
    owner          uuid,                 -- that process
    seen_at        timestamptz,
    source_offset  numeric(20),          -- of the server, when it was last asked
    lag_bytes      bigint,
    lag_ms         bigint,
    keys_waiting   bigint      NOT NULL DEFAULT 0,
    changes_per_second double precision NOT NULL DEFAULT 0,
    last_commit    timestamptz,
    -- What a user asked for; it lasts over restarts.
    is_to_pause    boolean     NOT NULL DEFAULT false
);

-- Keys of which rows could not be written, or not deleted, because of other rows: a parent that has not come, a
-- unique value that another row still has, rows that still refer to one. They are tried again.
CREATE TABLE redis2pg.parked (
    entity       text        NOT NULL,
    key_digest   uuid        NOT NULL, -- MD5 of the key
    key          bytea       NOT NULL,
    code         text        NOT NULL, -- of the reject that it would be
    message      text        NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_try_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries        integer     NOT NULL DEFAULT 0,
    -- It has waited long enough to be on record as a reject; it is still tried, more seldom.
    is_rejected  boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (entity, key_digest)
);

CREATE INDEX parked_next_try_idx ON redis2pg.parked (next_try_at);

-- When keys end, where that decides what becomes of their rows: a deleted key and an expired one are told apart
-- by the time of expiry that the key had. Rows of keys that have departed stand although Redis has them no more,
-- by the policy of their entity.
CREATE TABLE redis2pg.lifetimes (
    entity      text        NOT NULL,
    key_digest  uuid        NOT NULL, -- MD5 of the key
    expires_at  timestamptz,          -- null: never
    departed_at timestamptz,          -- null: the key is there
    PRIMARY KEY (entity, key_digest)
);

-- Rows that stand on purpose are told from those that are left over by asking for each.
CREATE INDEX lifetimes_departed_idx ON redis2pg.lifetimes (entity, key_digest) WHERE departed_at IS NOT NULL;

-- Which transactions are a run's is asked for each row that changes, over runs of very many batches.
CREATE INDEX batches_xid_idx ON redis2pg.batches USING hash ((xid::xid));

-- Which key a row is of, where its identity does not follow from the key: the next reading of the same key may
-- change the row, another key's may not. Kept from run to run of a sync; forgotten when all keys are read again.
CREATE TABLE redis2pg.holders (
    target     oid  NOT NULL,
    identity   uuid NOT NULL, -- MD5 of the key columns
    entity     text NOT NULL,
    key_digest uuid NOT NULL, -- MD5 of the key
    PRIMARY KEY (target, identity)
);

CREATE INDEX holders_key_idx ON redis2pg.holders (entity, key_digest);

-- MD5 of the key columns of a row that a sync is about to change: when the same run deletes the row later, that
-- image becomes one of a deleted row. Null in other runs, which do not delete what they have changed.
ALTER TABLE redis2pg.undo ADD COLUMN identity uuid;

CREATE INDEX undo_identity_idx ON redis2pg.undo (identity) WHERE identity IS NOT NULL;
