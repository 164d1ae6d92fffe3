-- New runs of a migration at a person's wish, each with what it was asked for and where the run before it had ended.
CREATE TABLE retries (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 2), -- the run that came of it
    tenant_id uuid NOT NULL REFERENCES organisations,
    user_id uuid NOT NULL REFERENCES users,
    reason text NOT NULL CHECK (reason IN ('user_request', 'tool_timeout', 'ownership_failed', 'budget_exceeded',
        'builder_incompatibility', 'deployment_error', 'network', 'upstream_5xx', 'rate_limited', 'invalid_input',
        'lost_worker', 'internal')),
    previous_state text NOT NULL CHECK (previous_state IN ('completed', 'failed')),
    previous_phase text CHECK (previous_phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    previous_error jsonb,
    previous_project_id uuid,
    from_phase text CHECK (from_phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')), -- NULL: none anew
    reuse_seeds boolean NOT NULL,
    new_brief boolean NOT NULL,
    increased_budget bigint CHECK (increased_budget BETWEEN 1 AND 1000000), -- seconds of AI time
    seed bigint NOT NULL,
    prompt_hash text NOT NULL CHECK (prompt_hash ~ '^[0-9a-f]{64}$'),
    plan_version integer NOT NULL CHECK (plan_version >= 1),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, run)
);

-- `analysis_run`: the run whose reading of the site holds. `plan_version`: grows with each wish that makes a new plan.
ALTER TABLE migrations
    ADD COLUMN plan_version integer NOT NULL DEFAULT 1 CHECK (plan_version >= 1),
    ADD COLUMN analysis_run integer NOT NULL DEFAULT 1 CHECK (analysis_run >= 1);
-- The run that did the work, where a later one took its result over.
ALTER TABLE phases
    ADD COLUMN reused_from integer CHECK (reused_from >= 1 AND reused_from < run),
    ADD CHECK (reused_from IS NULL OR state = 'completed');

ALTER TABLE retries ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON retries USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT ON retries TO resettle_gateway;
GRANT INSERT ON phases TO resettle_gateway;

-- Who waits for a person or a budget holds no job: V14 refuses the wait while there is one, this a job while it waits.
-- The lock makes each of the two see the other's commit.
CREATE FUNCTION refuse_job_of_waiting_migration() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    waits text;
BEGIN
    SELECT state INTO waits FROM migrations WHERE id = NEW.migration_id FOR SHARE;
    IF waits IN ('awaiting_ownership', 'questionnaire', 'paused') THEN
        RAISE EXCEPTION 'a migration that waits (%) gets no job', waits USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER jobs_of_no_waiting_migration BEFORE INSERT ON jobs
    FOR EACH ROW WHEN (NEW.migration_id IS NOT NULL) EXECUTE FUNCTION refuse_job_of_waiting_migration();
CREATE TRIGGER replays_of_no_waiting_migration BEFORE UPDATE OF state ON jobs
    FOR EACH ROW WHEN (OLD.state = 'FAILED' AND NEW.migration_id IS NOT NULL)
    EXECUTE FUNCTION refuse_job_of_waiting_migration();
