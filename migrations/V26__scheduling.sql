-- Whose turn it is. Jobs that could run now lie in lanes, one per queue, tenant and destination, in each by rank; who
-- claims leaps from lane to lane. Jobs whose time is still to come are kept out of the lanes, and gates say what holds
-- back those that are in them.
ALTER TABLE jobs
    ADD COLUMN destination text NOT NULL DEFAULT '', -- what they ask of the world outside: a host, a model; '': nothing
    ADD COLUMN scheduled boolean NOT NULL DEFAULT false, -- PENDING, and its time had not come when that was last seen
    ADD CHECK (length(destination) <= 300) NOT VALID;
UPDATE jobs SET scheduled = true WHERE state = 'PENDING' AND run_at > clock_timestamp();

-- Least first. A point of priority is worth a minute of waiting, so that nothing waits for ever; and so the rank of a job
-- never changes, and an index can hold it.
CREATE FUNCTION job_rank(run_at timestamptz, priority smallint) RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (run_at AT TIME ZONE 'UTC') - priority * interval '1 minute' $$;

-- States are literals here and in the queries: a parameter could not be matched with a partial index when the plan is
-- made. What was `jobs_runnable` had one line for all tenants.
CREATE INDEX jobs_in_lanes ON jobs (queue, tenant_id, destination, job_rank(run_at, priority), id)
    WHERE state = 'PENDING' AND NOT scheduled;
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'PENDING' AND scheduled;
DROP INDEX jobs_runnable;

-- Nobody who writes a job has to think of it. The condition is part of the trigger: it costs no call where nothing is to
-- be done, which is nearly always.
CREATE FUNCTION schedule_job() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.scheduled := NEW.run_at > clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER jobs_schedule BEFORE INSERT OR UPDATE OF state, run_at ON jobs
    FOR EACH ROW WHEN (NEW.state = 'PENDING' AND NEW.scheduled IS DISTINCT FROM (NEW.run_at > clock_timestamp()))
    EXECUTE FUNCTION schedule_job();

-- The guard of the moves likewise: only a refusal is worth a call.
DROP TRIGGER jobs_moves ON jobs;
CREATE TRIGGER jobs_moves BEFORE UPDATE OF state ON jobs
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND NOT job_move_allowed(OLD.state, NEW.state))
    EXECUTE FUNCTION refuse_illegal_job_move();

-- What a lease is counted for, so that who counts need not look at jobs. A worker of the release before does not say.
ALTER TABLE leases ADD COLUMN queue text, ADD COLUMN destination text;
UPDATE leases SET queue = jobs.queue, destination = jobs.destination FROM jobs WHERE jobs.id = leases.job_id;
CREATE FUNCTION count_lease() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    SELECT queue, destination INTO NEW.queue, NEW.destination FROM jobs WHERE id = NEW.job_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER leases_count BEFORE INSERT ON leases FOR EACH ROW WHEN (NEW.queue IS NULL) EXECUTE FUNCTION count_lease();
ALTER TABLE leases ALTER COLUMN queue SET NOT NULL, ALTER COLUMN destination SET NOT NULL;

-- An operator's word on what runs: how many at once, how many per second, none at all; and how many jobs of a tenant go
-- before it is another's turn. Few rows, read whole by every claim. Workers write nothing but what is left in a bucket.
CREATE TABLE gates (
    scope text NOT NULL CHECK (scope IN ('all', 'queue', 'tenant', 'destination')),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 300), -- '*': everybody of the scope who has no gate of their own
    weight integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100),
    most integer CHECK (most >= 0), -- leases open at once
    per_second double precision CHECK (per_second BETWEEN 0.00001 AND 1000000),
    burst integer CHECK (burst BETWEEN 1 AND 1000000), -- what fits into the bucket
    tokens double precision, -- what was in it at `metered_at`; NULL: it is full
    metered_at timestamptz,
    paused_at timestamptz,
    pause_reason text CHECK (length(pause_reason) BETWEEN 1 AND 500),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key),
    CHECK (scope <> 'all' OR key = '*'),
    CHECK (weight = 1 OR (scope = 'tenant' AND key <> '*')),
    CHECK ((per_second IS NULL) = (burst IS NULL)),
    CHECK (per_second IS NULL OR key <> '*' OR scope = 'all'), -- a bucket is one's own
    CHECK ((tokens IS NULL) = (metered_at IS NULL)),
    CHECK ((paused_at IS NULL) = (pause_reason IS NULL))
) WITH (fillfactor = 50);
ALTER TABLE gates ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_queue ON gates TO resettle_worker USING (true);
CREATE POLICY of_the_operator ON gates FOR SELECT TO resettle_operator USING (true);
GRANT SELECT ON gates TO resettle_worker, resettle_operator;
GRANT UPDATE (tokens, metered_at) ON gates TO resettle_worker;
