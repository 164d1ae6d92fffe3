-- Jobs that repeat: a cron expression in a time zone, and what was fired for which time.
CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES organisations,
    user_id uuid NOT NULL REFERENCES users, -- who wrote it last: its jobs are enqueued on their behalf
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    cron text NOT NULL CHECK (octet_length(cron) BETWEEN 1 AND 100),
    time_zone text NOT NULL CHECK (octet_length(time_zone) BETWEEN 1 AND 100),
    missed text NOT NULL CHECK (missed IN ('skip', 'once', 'all')), -- times that nobody was there for
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    payload jsonb NOT NULL CHECK (pg_column_size(payload) <= 1048576),
    priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    destination text NOT NULL DEFAULT '' CHECK (octet_length(destination) <= 300),
    max_attempts integer NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
    paused boolean NOT NULL DEFAULT false,
    stopped text CHECK (length(stopped) BETWEEN 1 AND 500), -- why it cannot be fired any more
    next_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (tenant_id, name),
    CHECK ((next_at IS NULL) = (paused OR stopped IS NOT NULL))
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;

-- One job per time, whoever sweeps. Kept for a week from the firing on, not from the time: that may be long past.
CREATE TABLE firings (
    schedule_id uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    slot timestamptz NOT NULL,
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schedule_id, slot)
);

ALTER TABLE schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE firings ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON schedules TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON firings TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON schedules TO resettle_worker USING (true);
CREATE POLICY of_the_queue ON firings TO resettle_worker USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON schedules TO resettle_gateway;
GRANT SELECT ON firings TO resettle_gateway;
GRANT SELECT ON schedules TO resettle_worker;
GRANT UPDATE (next_at, stopped) ON schedules TO resettle_worker;
GRANT SELECT, INSERT, DELETE ON firings TO resettle_worker;
GRANT INSERT ON jobs TO resettle_worker;
