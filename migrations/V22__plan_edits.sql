-- A plan that its owner may change and, where it was asked for, approves before anything is written.
ALTER TABLE migrations ADD COLUMN review_plan boolean NOT NULL DEFAULT false;

-- What PLAN decided stays in its phase's row; this is what its owner made of it. The last edit of a run is its plan.
CREATE TABLE plan_edits (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    version integer NOT NULL CHECK (version >= 2), -- of the plan that came of it
    tenant_id uuid NOT NULL REFERENCES organisations,
    user_id uuid NOT NULL REFERENCES users,
    run integer NOT NULL CHECK (run >= 1), -- whose plan was edited
    base_hash text NOT NULL CHECK (base_hash ~ '^[0-9a-f]{64}$'),
    hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$' AND hash <> base_hash),
    edits jsonb NOT NULL,
    result jsonb NOT NULL CHECK (result ->> 'hash' = hash), -- in the form of PLAN's result
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, version)
);
ALTER TABLE plan_edits ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON plan_edits TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT ON plan_edits TO resettle_gateway;
-- An approved plan becomes PLAN's result; nothing else of a phase is the gateway's to change.
GRANT UPDATE (result) ON phases TO resettle_gateway;

-- A run is carried out by one job at a time: who waits for a person ends its job, and going on writes another one.
DROP INDEX jobs_one_per_run;
CREATE UNIQUE INDEX jobs_one_at_a_time ON jobs (migration_id, run)
    WHERE migration_id IS NOT NULL AND state <> 'COMPLETED';
CREATE INDEX jobs_of_migration ON jobs (migration_id, run) WHERE migration_id IS NOT NULL;
ALTER TABLE transitions
    DROP CONSTRAINT transitions_cause_check,
    ADD CONSTRAINT transitions_cause_check CHECK (cause IN ('enqueued', 'claimed', 'started', 'completed', 'parked',
        'attempt_failed', 'gave_up', 'lease_expired', 'phase_overdue', 'job_overdue', 'handed_back', 'snoozed',
        'retry_due', 'cancel_requested', 'replayed')) NOT VALID;
ALTER TABLE transitions VALIDATE CONSTRAINT transitions_cause_check;

-- An older gateway would take a run's first job for its only one.
UPDATE schema_compatibility SET min_reader = 22;
