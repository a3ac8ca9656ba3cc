-- The ledger: what ran, how far it came, what it refused, and what it changed. A batch's rows here are
-- written by the transaction that writes the batch's rows in the target.

-- One row a run, of any kind: run, sync, rollback, replay.
CREATE TABLE redis2pg.runs (
    run            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text        NOT NULL,
    -- open | completed | completed_with_rejects | failed | interrupted | rolled_back
    status         text        NOT NULL DEFAULT 'open',
    strategy       text        NOT NULL,
    mapping        text        NOT NULL,
    mapping_digest text        NOT NULL, -- SHA-256 of the mapping files' texts
    source         text        NOT NULL, -- where Redis was, without user and password
    source_run_id  text        NOT NULL, -- run_id of INFO: names the Redis process; cursors are good for it alone
    tool_version   text        NOT NULL,
    host           text        NOT NULL,
    pid            integer     NOT NULL,
    settings       jsonb       NOT NULL DEFAULT '{}',
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at       timestamptz,
    error          text                  -- why it failed or was interrupted
);

-- The entities of a run, in the order of the mapping.
CREATE TABLE redis2pg.run_entities (
    run    bigint  NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    number integer NOT NULL,
    entity text    NOT NULL,
    target text    NOT NULL, -- "public.orders"
    PRIMARY KEY (run, number)
);

-- One row a batch that is committed: its transaction, where the scan stood after it, and the account of its keys.
CREATE TABLE redis2pg.batches (
    run           bigint      NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    pass          integer     NOT NULL,
    number        bigint      NOT NULL, -- in the order of reading, from 0 within the pass
    xid           xid8        NOT NULL DEFAULT pg_current_xact_id(), -- the xmin of the rows it wrote
    cursor_after  numeric(20) NOT NULL, -- SCAN cursor to go on with
    is_pass_end   boolean     NOT NULL,
    keys_scanned  bigint      NOT NULL,
    keys_mapped   bigint      NOT NULL,
    keys_ignored  bigint      NOT NULL,
    keys_unmapped bigint      NOT NULL,
    unmapped      jsonb,                -- {"pattern": {"keys": 1, "example": "foo:1"}} when there are any
    committed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, pass, number)
);

-- The account of each entity's rows in a batch.
CREATE TABLE redis2pg.batch_counts (
    run       bigint  NOT NULL,
    pass      integer NOT NULL,
    batch     bigint  NOT NULL,
    entity    integer NOT NULL,
    read      bigint  NOT NULL,
    inserted  bigint  NOT NULL,
    updated   bigint  NOT NULL,
    unchanged bigint  NOT NULL,
    deleted   bigint  NOT NULL,
    rejected  bigint  NOT NULL,
    filtered  bigint  NOT NULL,
    vanished  bigint  NOT NULL,
    parked    bigint  NOT NULL,
    PRIMARY KEY (run, pass, batch, entity),
    FOREIGN KEY (run, pass, batch) REFERENCES redis2pg.batches ON DELETE CASCADE,
    FOREIGN KEY (run, entity) REFERENCES redis2pg.run_entities ON DELETE CASCADE
);

-- Identities that the open run has met in the target, of entities whose identity does not follow from the Redis
-- key: the first key that claims one has it, another is a duplicate. Emptied when a run opens and when it closes.
CREATE TABLE redis2pg.claims (
    run      bigint NOT NULL,
    target   oid    NOT NULL,
    identity uuid   NOT NULL, -- MD5 of the key columns
    PRIMARY KEY (target, identity)
);

-- Every record that was refused, with its reason and its payload.
CREATE TABLE redis2pg.rejects (
    reject          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run             bigint      NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    pass            integer     NOT NULL,
    batch           bigint      NOT NULL,
    entity          text        NOT NULL,
    key             bytea       NOT NULL, -- keys are bytes
    stage           text        NOT NULL, -- map | stage | write | finish
    code            text        NOT NULL,
    column_name     text,
    constraint_name text,
    message         text        NOT NULL,
    value           text,                 -- the offending value as shown; masked when the column is sensitive
    raw             bytea       NOT NULL, -- the record as one RESP array: key, type, ttl in ms, values...
    rejected_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolved_by     bigint REFERENCES redis2pg.runs ON DELETE SET NULL
);

CREATE INDEX rejects_run_code_idx ON redis2pg.rejects (run, code);

-- Rows as they stood before a run changed them. Rows that a run inserted need no such image: their xmin is
-- the xid of one of its batches for as long as nobody changed them.
CREATE TABLE redis2pg.undo (
    undo      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run       bigint  NOT NULL REFERENCES redis2pg.runs ON DELETE CASCADE,
    pass      integer NOT NULL,
    batch     bigint  NOT NULL,
    target    text    NOT NULL, -- "public.orders"
    operation text    NOT NULL, -- update | delete
    before    json    NOT NULL  -- row_to_json: the text of each value is kept as it was
);

CREATE INDEX undo_run_idx ON redis2pg.undo (run, pass, batch);
