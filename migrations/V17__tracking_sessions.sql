-- Sessions in which AI time is spent: opened with a phase, closed in the transaction that ends it, however it ends.
-- What they belong to is stored in columns and never parsed out of an id; the ledger itself comes later.
CREATE TABLE tracking_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 1),
    phase text NOT NULL CHECK (phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    purpose text NOT NULL CHECK (purpose ~ '^[a-z][a-z0-9_]{0,39}$'),
    tenant_id uuid NOT NULL REFERENCES organisations,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    epoch bigint NOT NULL CHECK (epoch >= 1), -- the lease under which it was opened
    context jsonb NOT NULL CHECK (jsonb_typeof(context) = 'object'),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz CHECK (closed_at >= opened_at),
    outcome text CHECK (outcome IN ('completed', 'failed', 'lost', 'cancelled', 'handed_back')),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX tracking_sessions_open ON tracking_sessions (job_id, epoch, phase, purpose)
    WHERE closed_at IS NULL;
CREATE INDEX tracking_sessions_of_a_run ON tracking_sessions (migration_id, run, id);

ALTER TABLE tracking_sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON tracking_sessions USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT ON tracking_sessions TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE ON tracking_sessions TO resettle_worker;

-- Jobs that were called off and are still held, for whoever sweeps: few if any.
CREATE INDEX jobs_called_off ON jobs (cancel_requested_at)
    WHERE state IN ('PREPARING', 'RUNNING') AND cancel_requested_at IS NOT NULL;
