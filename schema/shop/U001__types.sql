DROP FUNCTION set_updated_at();
DROP TYPE payment_status;
DROP TYPE order_status;
DROP TYPE job_priority;
DROP TYPE job_type;
