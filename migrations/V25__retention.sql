-- What is over does not stay for ever. Each function takes away a few rows of one sort and says how many; what it may
-- take is decided in here, whatever it is asked: nothing of a migration that is under way, no job that somebody could
-- still replay. They run with the owner's rights, since no service's role may delete these rows by itself, and they pass
-- over rows that somebody has locked, so that nobody waits for them.

-- Which jobs are over, per kind and end, oldest first. Written once, when a job ends.
CREATE INDEX jobs_over ON jobs (kind, state, finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX migrations_over ON migrations (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX poison_oldest ON poison (at);

-- What was paid for outlives the job that it was spent on: its sessions go with their migration, not with the job.
ALTER TABLE tracking_sessions DROP CONSTRAINT tracking_sessions_job_id_fkey;

-- How far the sweep of events has come: nothing that ended before has any left to give.
CREATE TABLE retention_marks (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    finished_at timestamptz NOT NULL,
    migration_id uuid NOT NULL
);
INSERT INTO retention_marks (finished_at, migration_id) VALUES ('-infinity', '00000000-0000-0000-0000-000000000000');
ALTER TABLE retention_marks ENABLE ROW LEVEL SECURITY;

-- Jobs that are over, with their transitions and settled dead letters: those beyond the newest `keep_done` that
-- completed or were cancelled, and beyond the newest `keep_failed` that failed, per kind and end; none that ended less
-- than `at_least` ago, and all that ended more than `at_most` ago.
CREATE FUNCTION forget_jobs(keep_done bigint, keep_failed bigint, at_least interval, at_most interval, most integer)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    part record;
    until timestamptz;
    deleted bigint;
    total bigint := 0;
BEGIN
    FOR part IN
        WITH RECURSIVE parts AS (
            (SELECT kind, state FROM jobs WHERE finished_at IS NOT NULL ORDER BY kind, state LIMIT 1)
            UNION ALL
            SELECT next.kind, next.state
            FROM parts, LATERAL (
                SELECT kind, state FROM jobs
                WHERE finished_at IS NOT NULL AND (kind, state) > (parts.kind, parts.state)
                ORDER BY kind, state LIMIT 1
            ) AS next
        )
        SELECT kind, state, CASE state WHEN 'FAILED' THEN keep_failed ELSE keep_done END AS keep FROM parts
    LOOP
        EXIT WHEN total >= most;
        SELECT finished_at INTO until FROM jobs
        WHERE kind = part.kind AND state = part.state AND finished_at IS NOT NULL
        ORDER BY finished_at DESC, id DESC OFFSET part.keep LIMIT 1;
        until := least(greatest(until, clock_timestamp() - at_most), clock_timestamp() - at_least);
        WITH old AS (
            SELECT id FROM jobs
            WHERE kind = part.kind AND state = part.state AND finished_at <= until
              AND (migration_id IS NULL
                   OR EXISTS (SELECT FROM migrations
                              WHERE migrations.id = jobs.migration_id AND migrations.finished_at IS NOT NULL))
              AND NOT EXISTS (SELECT FROM dead_letters
                              WHERE dead_letters.job_id = jobs.id AND replayed_at IS NULL AND discarded_at IS NULL)
              AND NOT EXISTS (SELECT FROM crawl_journals
                              WHERE crawl_journals.migration_id = jobs.migration_id AND crawl_journals.run = jobs.run)
            ORDER BY finished_at, id LIMIT most - total
            FOR UPDATE SKIP LOCKED
        )
        DELETE FROM jobs WHERE id = ANY (ARRAY(SELECT id FROM old));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        total := total + deleted;
    END LOOP;
    RETURN total;
END
$$;

-- The events of migrations that ended more than `at_most` ago, but for the last one, which says how: without any, nobody
-- could tell a short history from none.
CREATE FUNCTION forget_events(at_most interval, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    mark retention_marks;
    ended record;
    deleted bigint;
    total bigint := 0;
BEGIN
    SELECT * INTO mark FROM retention_marks FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0; -- somebody else is at it
    END IF;
    LOOP
        EXIT WHEN total >= most;
        SELECT id, finished_at INTO ended FROM migrations
        WHERE finished_at IS NOT NULL AND finished_at <= clock_timestamp() - at_most
          AND (finished_at, id) > (mark.finished_at, mark.migration_id)
        ORDER BY finished_at, id LIMIT 1;
        EXIT WHEN NOT FOUND;
        -- Held, so that no new run begins meanwhile; whoever has it may be beginning one: it is left for the next time.
        PERFORM 1 FROM migrations WHERE id = ended.id AND finished_at = ended.finished_at FOR SHARE SKIP LOCKED;
        EXIT WHEN NOT FOUND;
        DELETE FROM events
        WHERE migration_id = ended.id
          AND seq IN (SELECT seq FROM events
                      WHERE migration_id = ended.id
                        AND seq < (SELECT last_seq FROM event_heads WHERE event_heads.migration_id = ended.id)
                      ORDER BY seq LIMIT most - total);
        GET DIAGNOSTICS deleted = ROW_COUNT;
        total := total + deleted;
        EXIT WHEN total >= most; -- perhaps not all of this one's
        mark.finished_at := ended.finished_at;
        mark.migration_id := ended.id;
    END LOOP;
    UPDATE retention_marks SET finished_at = mark.finished_at, migration_id = mark.migration_id;
    RETURN total;
END
$$;

-- Answers that nobody can get any more: their keys are free again since they expired.
CREATE FUNCTION forget_answers(most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    WITH old AS (
        SELECT tenant_id, route, key FROM idempotency_records
        WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT most
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM idempotency_records AS record USING old
        WHERE record.tenant_id = old.tenant_id AND record.route = old.route AND record.key = old.key
          AND record.expires_at <= clock_timestamp()
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Starts of workers that have not been heard of for `at_most`, and hold nothing.
CREATE FUNCTION forget_workers(at_most interval, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    WITH old AS (
        SELECT id FROM workers
        WHERE heartbeat_at <= clock_timestamp() - at_most
          AND NOT EXISTS (SELECT FROM leases WHERE leases.worker_id = workers.id)
        ORDER BY heartbeat_at LIMIT most
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM workers WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Messages that could not be read, older than `at_most`.
CREATE FUNCTION forget_poison(at_most interval, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    WITH old AS (
        SELECT id FROM poison WHERE at <= clock_timestamp() - at_most ORDER BY at LIMIT most
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM poison WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION forget_jobs(bigint, bigint, interval, interval, integer), forget_events(interval, integer),
    forget_answers(integer), forget_workers(interval, integer), forget_poison(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_jobs(bigint, bigint, interval, interval, integer), forget_events(interval, integer),
    forget_answers(integer), forget_workers(interval, integer), forget_poison(interval, integer) TO resettle_worker;
