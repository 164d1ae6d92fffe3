-- The clock on the wall beside the heartbeat's: the lease's row knows which phase its holder is in and since when,
-- so that whoever sweeps finds the attempts that hang as well as those whose worker died. No index, so heartbeats
-- stay HOT; and the two causes that this adds to the audit log.
ALTER TABLE leases
    ADD COLUMN phase text CHECK (phase IN ('ANALYZE', 'PLAN', 'TRANSFORM', 'VERIFY', 'DEPLOY')),
    ADD COLUMN phase_began_at timestamptz,
    ADD CHECK ((phase IS NULL) = (phase_began_at IS NULL));

ALTER TABLE transitions
    DROP CONSTRAINT transitions_cause_check,
    ADD CONSTRAINT transitions_cause_check CHECK (cause IN ('enqueued', 'claimed', 'started', 'completed',
        'attempt_failed', 'gave_up', 'lease_expired', 'phase_overdue', 'job_overdue', 'handed_back', 'retry_due',
        'cancel_requested', 'replayed')) NOT VALID;
ALTER TABLE transitions VALIDATE CONSTRAINT transitions_cause_check;
