-- The durable job system: jobs, the leases on them, and the audit log of their moves.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES organisations,
    queue text NOT NULL CHECK (length(queue) BETWEEN 1 AND 100),
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    payload jsonb NOT NULL,
    migration_id uuid REFERENCES migrations ON DELETE CASCADE,
    run integer CHECK (run >= 1),
    state text NOT NULL CHECK (state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY', 'COMPLETED',
        'FAILED', 'CANCELLED')),
    priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- failed or lost ones; a hand-back is none
    max_attempts integer NOT NULL CHECK (max_attempts >= 1),
    last_error jsonb,
    last_attempt_at timestamptz,
    cancel_requested_at timestamptz,
    correlation_id uuid NOT NULL,
    trace jsonb NOT NULL DEFAULT '{}', -- W3C trace context of the request that enqueued it
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK ((migration_id IS NULL) = (run IS NULL)),
    CHECK (attempts <= max_attempts),
    CHECK ((state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)),
    CHECK (state <> 'FAILED' OR last_error IS NOT NULL)
) WITH (fillfactor = 85);
-- The claim's own order, over runnable rows only. States are literals here and in the queries: a parameter
-- could not be matched with a partial index when the plan is made.
CREATE INDEX jobs_runnable ON jobs (queue, priority DESC, run_at, id) WHERE state = 'PENDING';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'WAITING_RETRY';
CREATE UNIQUE INDEX jobs_one_per_run ON jobs (migration_id, run) WHERE migration_id IS NOT NULL;

-- Narrow, and no index on what a heartbeat changes, so that heartbeats stay HOT updates.
CREATE TABLE leases (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    epoch bigint NOT NULL CHECK (epoch >= 1),
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > claimed_at)
) WITH (fillfactor = 50);

CREATE TABLE transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    from_state text, -- NULL: the job was written
    to_state text NOT NULL,
    cause text NOT NULL CHECK (cause IN ('enqueued', 'claimed', 'started', 'completed', 'attempt_failed',
        'gave_up', 'lease_expired', 'handed_back', 'retry_due', 'cancel_requested', 'replayed')),
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200), -- worker:UUID, user:UUID
    epoch bigint NOT NULL,
    attempt integer NOT NULL,
    trace_id text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX transitions_of_a_job ON transitions (job_id, id);

-- The table of moves, second guard: `domain::job::JobState::allows` is the first, and a test compares them.
CREATE FUNCTION job_move_allowed(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (from_state, to_state) IN (
        ('PENDING', 'PREPARING'), ('PENDING', 'CANCELLED'),
        ('PREPARING', 'RUNNING'), ('PREPARING', 'WAITING_RETRY'), ('PREPARING', 'PENDING'),
        ('PREPARING', 'FAILED'), ('PREPARING', 'CANCELLED'),
        ('RUNNING', 'COMPLETED'), ('RUNNING', 'WAITING_RETRY'), ('RUNNING', 'PENDING'),
        ('RUNNING', 'FAILED'), ('RUNNING', 'CANCELLED'),
        ('WAITING_RETRY', 'PENDING'), ('WAITING_RETRY', 'CANCELLED'),
        ('FAILED', 'PENDING')
    )
$$;
CREATE FUNCTION refuse_illegal_job_move() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT job_move_allowed(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'a job cannot move from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER jobs_moves BEFORE UPDATE OF state ON jobs
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_illegal_job_move();
CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE transitions ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON jobs TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON leases TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON transitions TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON jobs TO resettle_worker USING (true);
CREATE POLICY of_the_queue ON leases TO resettle_worker USING (true);
CREATE POLICY of_the_queue ON transitions TO resettle_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON jobs TO resettle_gateway;
GRANT SELECT, UPDATE ON jobs TO resettle_worker;
GRANT SELECT ON leases TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO resettle_worker;
GRANT SELECT, INSERT ON transitions TO resettle_gateway, resettle_worker;
