-- One website's move, and the result of each of its phases.
CREATE TABLE migrations (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES organisations,
    user_id uuid NOT NULL REFERENCES users,
    source_url text NOT NULL CHECK (length(source_url) <= 2048),
    normalised_url text NOT NULL CHECK (length(normalised_url) <= 4096),
    brief jsonb NOT NULL,
    prompt_hash text NOT NULL CHECK (prompt_hash ~ '^[0-9a-f]{64}$'),
    state text NOT NULL CHECK (state IN ('queued', 'analyzing', 'awaiting_ownership', 'questionnaire',
        'processing', 'paused', 'completed', 'failed', 'cancelled')),
    phase text CHECK (phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    run integer NOT NULL DEFAULT 1 CHECK (run >= 1),
    correlation_id uuid NOT NULL,
    retry_count integer NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
    retry_at timestamptz,
    seed bigint NOT NULL,
    tool_contract text NOT NULL,
    model_version text NOT NULL,
    error jsonb,
    project_id uuid,
    cancel_requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (state <> 'completed' OR (progress = 100 AND project_id IS NOT NULL)),
    CHECK (state <> 'failed' OR error IS NOT NULL)
);
-- One active migration per tenant, user and normalised URL.
CREATE UNIQUE INDEX migrations_one_active ON migrations (tenant_id, user_id, normalised_url)
    WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX migrations_newest ON migrations (tenant_id, created_at DESC, id DESC);

CREATE TABLE phases (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 1),
    phase text NOT NULL CHECK (phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    tenant_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'completed')),
    starts integer NOT NULL CHECK (starts >= 1), -- how often it was begun: 1 unless an attempt was lost in it
    epoch bigint NOT NULL,                       -- the lease that began it last, or completed it
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at timestamptz,
    result jsonb,
    PRIMARY KEY (migration_id, run, phase),
    CHECK ((state = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((state = 'completed') = (result IS NOT NULL))
);

CREATE TRIGGER migrations_touch BEFORE UPDATE ON migrations
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE migrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE phases ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON migrations USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON phases USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON migrations TO resettle_gateway;
GRANT SELECT, UPDATE ON migrations TO resettle_worker;
GRANT SELECT ON phases TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE ON phases TO resettle_worker;
