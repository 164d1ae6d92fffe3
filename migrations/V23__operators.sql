-- Operators: people who look after the instance. They see the queue of all tenants, and that by a role of its own, which
-- only reads: the gateway's own role stays behind row-level security. What they change, they change in the tenant's name.
DO $$
BEGIN
    CREATE ROLE resettle_operator LOGIN NOBYPASSRLS NOSUPERUSER;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO resettle_operator;
GRANT SELECT ON schema_compatibility TO resettle_operator;

CREATE TABLE operators (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE operators ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_the_operator ON operators FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON jobs FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON leases FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON transitions FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON events FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON dead_letters FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON outbox FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON poison FOR SELECT TO resettle_operator USING (true);
CREATE POLICY of_the_operator ON workers FOR SELECT TO resettle_operator USING (true);
GRANT SELECT ON operators, jobs, leases, transitions, events, dead_letters, outbox, poison, workers
    TO resettle_operator;
GRANT EXECUTE ON FUNCTION event_horizon_lag_seconds() TO resettle_operator;

-- What a worker's process holds in memory, told with its heartbeat; no index, so heartbeats stay HOT.
ALTER TABLE workers ADD COLUMN memory_bytes bigint CHECK (memory_bytes >= 0);
CREATE INDEX workers_here ON workers (started_at DESC) WHERE stopped_at IS NULL;
-- Over all tenants; the ids are in the order of time.
CREATE INDEX dead_letters_open_of_all ON dead_letters (id) WHERE replayed_at IS NULL AND discarded_at IS NULL;
