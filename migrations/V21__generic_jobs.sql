-- Work of other sorts than a website's move: kinds that workers bind to executors, and jobs of such kinds, which carry
-- out no migration. A kind's jobs wait in a queue of the kind's name.
CREATE TABLE job_kinds (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$' AND name NOT IN ('migrations', 'migrate_website')),
    executor text NOT NULL CHECK (executor IN ('http', 'subprocess', 'container')),
    payload_schema jsonb CHECK (jsonb_typeof(payload_schema) IN ('object', 'boolean')), -- NULL: any payload
    max_payload_bytes integer NOT NULL CHECK (max_payload_bytes BETWEEN 2 AND 1048576),
    max_attempts integer NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
    timeout_ms bigint NOT NULL CHECK (timeout_ms BETWEEN 1 AND 86400000),
    tenants uuid[] CHECK (cardinality(tenants) BETWEEN 1 AND 1000), -- NULL: every tenant may
    offered_by uuid NOT NULL, -- the worker that said so last
    offered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp() -- a worker still offered it
) WITH (fillfactor = 50);
ALTER TABLE job_kinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON job_kinds TO resettle_gateway
    USING (tenants IS NULL OR (SELECT current_tenant()) = ANY (tenants));
CREATE POLICY of_the_queue ON job_kinds TO resettle_worker USING (true);
GRANT SELECT ON job_kinds TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE ON job_kinds TO resettle_worker;

-- `result`: what a job of such a kind answered. `unique_key`: no second job of the kind while one with it is not over.
ALTER TABLE jobs
    ADD COLUMN result jsonb,
    ADD COLUMN unique_key text,
    ADD CHECK (length(unique_key) BETWEEN 1 AND 200) NOT VALID,
    ADD CHECK (result IS NULL OR state = 'COMPLETED') NOT VALID,
    -- As they are stored, which takes more than their text: far above what is accepted.
    ADD CHECK (pg_column_size(payload) <= 16777216) NOT VALID,
    ADD CHECK (pg_column_size(result) <= 16777216) NOT VALID;
CREATE UNIQUE INDEX jobs_unique ON jobs (tenant_id, kind, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY');
-- The ids are in the order of time.
CREATE INDEX jobs_of_a_tenant ON jobs (tenant_id, id);

-- The clock on the wall for such a job, which has a limit of its own and no phases.
ALTER TABLE leases ADD COLUMN overdue_at timestamptz;
