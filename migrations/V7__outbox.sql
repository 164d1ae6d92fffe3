-- What is to be announced, written with the change that it announces. The relay claims rows by a column and
-- commits, publishes with confirms, and marks them in a second transaction: no network call inside one.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    topic text NOT NULL CHECK (topic IN ('job', 'event')),
    body jsonb NOT NULL,
    trace jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_by uuid,
    claimed_until timestamptz,
    published_at timestamptz,
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON outbox FOR INSERT TO resettle_gateway
    WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON outbox TO resettle_worker USING (true);
GRANT INSERT ON outbox TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO resettle_worker;
