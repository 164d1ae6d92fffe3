-- A circuit per host of the outside: after failures in a row nobody asks it for a while, and then one job does, so that
-- one dead site does not eat every worker. No tenant's: a host is down for everybody. And the cause of the moves that
-- this makes.
CREATE TABLE circuits (
    host text PRIMARY KEY CHECK (length(host) BETWEEN 1 AND 300),
    failures integer NOT NULL CHECK (failures >= 1), -- in a row
    open_until timestamptz,
    probed_until timestamptz, -- somebody tries it
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX circuits_oldest ON circuits (updated_at);
ALTER TABLE circuits ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_queue ON circuits TO resettle_worker USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON circuits TO resettle_worker;

ALTER TABLE transitions
    DROP CONSTRAINT transitions_cause_check,
    ADD CONSTRAINT transitions_cause_check CHECK (cause IN ('enqueued', 'claimed', 'started', 'completed',
        'attempt_failed', 'gave_up', 'lease_expired', 'phase_overdue', 'job_overdue', 'handed_back', 'snoozed',
        'retry_due', 'cancel_requested', 'replayed')) NOT VALID;
ALTER TABLE transitions VALIDATE CONSTRAINT transitions_cause_check;
