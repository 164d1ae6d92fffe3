-- Answers to requests that carried an Idempotency-Key, written in the transaction of their effect. Only
-- committed 2xx answers are kept, so that no crash locks a key and no stale refusal is replayed.
CREATE TABLE idempotency_records (
    tenant_id uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    route text NOT NULL CHECK (length(route) BETWEEN 1 AND 200),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash text NOT NULL CHECK (request_hash ~ '^[0-9a-f]{64}$'),
    status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, route, key)
);
CREATE INDEX idempotency_records_expiry ON idempotency_records (expires_at);

ALTER TABLE idempotency_records ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON idempotency_records USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, DELETE ON idempotency_records TO resettle_gateway;
