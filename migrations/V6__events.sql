-- The public history of each migration. Its order is its commit order (law 11): the sequence number is taken
-- from a narrow row of the migration's own, locked last in the transaction that writes the event.
CREATE TABLE event_heads (
    migration_id uuid PRIMARY KEY REFERENCES migrations ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0)
) WITH (fillfactor = 50);

CREATE TABLE events (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    seq bigint NOT NULL CHECK (seq >= 1),
    tenant_id uuid NOT NULL,
    run integer NOT NULL CHECK (run >= 1),
    type text NOT NULL CHECK (type IN ('phase_update', 'metric', 'log', 'error', 'done')),
    phase text CHECK (phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    progress smallint NOT NULL CHECK (progress BETWEEN 0 AND 100),
    correlation_id uuid NOT NULL,
    detail jsonb NOT NULL CHECK (jsonb_typeof(detail) = 'object'),
    trace jsonb NOT NULL DEFAULT '{}',
    -- Readers that page across migrations stay below the oldest transaction that still runs.
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, seq)
);
CREATE INDEX events_by_xact ON events (xact);

-- Changed by a restore, so that a cursor of the old history is recognised.
CREATE TABLE log_incarnation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL
);
INSERT INTO log_incarnation (id) VALUES (gen_random_uuid());

-- Seconds that the oldest event not yet below the snapshot horizon has waited: what a long transaction
-- anywhere in the cluster holds back from readers that page across migrations. Counts all tenants.
CREATE FUNCTION event_horizon_lag_seconds() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::double precision
    FROM events WHERE xact >= pg_snapshot_xmin(pg_current_snapshot())
$$;
REVOKE ALL ON FUNCTION event_horizon_lag_seconds() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_horizon_lag_seconds() TO resettle_broadcaster, resettle_worker;

ALTER TABLE event_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON event_heads USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON events USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON event_heads TO resettle_gateway, resettle_worker;
GRANT SELECT, INSERT ON events TO resettle_gateway, resettle_worker;
GRANT SELECT ON events TO resettle_broadcaster;
GRANT SELECT ON log_incarnation TO resettle_gateway, resettle_broadcaster;
