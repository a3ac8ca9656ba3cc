-- One row for each customer:{customer_id} hash.

CREATE TABLE users (
    id           uuid         NOT NULL,
    customer_id  varchar(255) NOT NULL,
    email        varchar(320),
    profile_data jsonb        NOT NULL DEFAULT '{}',
    created_at   timestamptz  NOT NULL DEFAULT now(),
    updated_at   timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_customer_id_key UNIQUE (customer_id),
    CONSTRAINT users_customer_id_not_empty CHECK (customer_id <> ''),
    CONSTRAINT users_profile_data_is_object CHECK (jsonb_typeof(profile_data) = 'object')
);

CREATE INDEX users_created_at_idx ON users (created_at);

CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
