-- One row for each order:{order_id} hash.

CREATE TABLE orders (
    id                   uuid           NOT NULL,
    order_id             varchar(255)   NOT NULL,
    customer_id          uuid           NOT NULL,
    job_type             job_type       NOT NULL,
    quantity             integer        NOT NULL,
    priority             job_priority   NOT NULL DEFAULT 'normal',
    parameters           jsonb          NOT NULL DEFAULT '{}',
    notification_webhook text,
    total_amount         numeric(10, 2) NOT NULL,
    currency             char(3)        NOT NULL DEFAULT 'USD',
    status               order_status   NOT NULL DEFAULT 'pending',
    created_at           timestamptz    NOT NULL DEFAULT now(),
    expires_at           timestamptz,
    metadata             jsonb          NOT NULL DEFAULT '{}',
    invoice_url          text,
    updated_at           timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT orders_pkey PRIMARY KEY (id),
    CONSTRAINT orders_order_id_key UNIQUE (order_id),
    CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT orders_order_id_not_empty CHECK (order_id <> ''),
    CONSTRAINT orders_quantity_in_range CHECK (quantity > 0 AND quantity <= 1000),
    CONSTRAINT orders_total_amount_not_negative CHECK (total_amount >= 0),
    CONSTRAINT orders_currency_is_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT orders_webhook_is_http CHECK (notification_webhook ~* '^https?://'),
    CONSTRAINT orders_expires_after_creation CHECK (expires_at > created_at),
    CONSTRAINT orders_parameters_is_object CHECK (jsonb_typeof(parameters) = 'object'),
    CONSTRAINT orders_metadata_is_object CHECK (jsonb_typeof(metadata) = 'object')
);

-- A customer's orders by status; it serves a customer's orders of any status too.
CREATE INDEX orders_customer_id_status_idx ON orders (customer_id, status);
-- Work lists: the oldest of a status, and a status alone.
CREATE INDEX orders_status_created_at_idx ON orders (status, created_at);
CREATE INDEX orders_created_at_idx ON orders (created_at);

CREATE TRIGGER orders_set_updated_at BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
