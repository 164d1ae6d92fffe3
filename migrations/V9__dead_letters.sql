-- Jobs that used up their attempts, kept whole until somebody replays or discards them; and, apart from them,
-- messages whose bytes could not be read.
CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    epoch bigint NOT NULL,
    job jsonb NOT NULL,      -- the whole row at its death
    failure jsonb NOT NULL,  -- the last attempt's
    died_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    replayed_at timestamptz,
    discarded_at timestamptz,
    discard_reason text,
    UNIQUE (job_id, epoch),
    CHECK ((discarded_at IS NULL) = (discard_reason IS NULL))
);
CREATE INDEX dead_letters_newest ON dead_letters (tenant_id, died_at DESC);

CREATE TABLE poison (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    body bytea NOT NULL CHECK (length(body) <= 1048576),
    headers jsonb NOT NULL DEFAULT '{}',
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE poison ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON dead_letters TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON dead_letters TO resettle_worker USING (true);
CREATE POLICY of_the_queue ON poison TO resettle_worker USING (true);
GRANT SELECT ON dead_letters TO resettle_gateway;
GRANT SELECT, INSERT ON dead_letters, poison TO resettle_worker;
