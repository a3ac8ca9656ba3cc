-- One row for each payment:{payment_id} hash.

CREATE TABLE payments (
    id             uuid           NOT NULL,
    payment_id     varchar(255)   NOT NULL,
    order_id       uuid           NOT NULL,
    transaction_id varchar(255),
    status         payment_status NOT NULL DEFAULT 'pending',
    amount         numeric(10, 2) NOT NULL,
    currency       char(3)        NOT NULL DEFAULT 'USD',
    processed_at   timestamptz,
    created_at     timestamptz    NOT NULL DEFAULT now(),
    updated_at     timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_payment_id_key UNIQUE (payment_id),
    -- Webhooks raced in the old system: one transaction must not pay twice.
    CONSTRAINT payments_transaction_id_key UNIQUE (transaction_id),
    CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE RESTRICT,
    CONSTRAINT payments_payment_id_not_empty CHECK (payment_id <> ''),
    CONSTRAINT payments_amount_not_negative CHECK (amount >= 0),
    CONSTRAINT payments_currency_is_code CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE INDEX payments_order_id_idx ON payments (order_id);
CREATE INDEX payments_status_idx ON payments (status);
CREATE INDEX payments_created_at_idx ON payments (created_at);

CREATE TRIGGER payments_set_updated_at BEFORE UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
