-- The closed vocabularies of the shop, and the function that keeps updated_at.

CREATE TYPE job_type AS ENUM ('functional', 'load', 'security', 'ui', 'api', 'regression');
CREATE TYPE job_priority AS ENUM ('low', 'normal', 'high', 'urgent');
CREATE TYPE order_status AS ENUM (
    'pending', 'paid', 'processing', 'completed', 'failed', 'cancelled', 'refunded', 'expired');
CREATE TYPE payment_status AS ENUM ('pending', 'completed', 'failed', 'refunded');

CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
