-- Postgres locks a row before it asks a BEFORE trigger of it, and writes that lock to its log, whether or not the trigger
-- has anything to say. What guards a job's moves is asked after the write: a refusal undoes the statement all the same.
DROP TRIGGER jobs_moves ON jobs;
DROP TRIGGER jobs_touch ON jobs;
DROP TRIGGER jobs_schedule ON jobs;
DROP TRIGGER replays_of_no_waiting_migration ON jobs;

-- Two moves in one write: a claim (only a claim raises the epoch) that begins the job as well, if it carries out no
-- migration. Each of the two is in the table of moves.
CREATE FUNCTION job_write_allowed(from_state text, from_epoch bigint, to_state text, to_epoch bigint, migration_id uuid)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT from_state = to_state OR job_move_allowed(from_state, to_state)
        OR (to_epoch = from_epoch + 1 AND from_state = 'PENDING' AND to_state = 'RUNNING' AND migration_id IS NULL)
$$;
CREATE TRIGGER jobs_moves AFTER UPDATE OF state ON jobs
    FOR EACH ROW WHEN (NOT job_write_allowed(OLD.state, OLD.epoch, NEW.state, NEW.epoch, NEW.migration_id))
    EXECUTE FUNCTION refuse_illegal_job_move();
CREATE TRIGGER replays_of_no_waiting_migration AFTER UPDATE OF state ON jobs
    FOR EACH ROW WHEN (OLD.state = 'FAILED' AND NEW.migration_id IS NOT NULL)
    EXECUTE FUNCTION refuse_job_of_waiting_migration();

-- Who puts a job back says since when it waits, and whether its time has come. For who does not (a binary of the release
-- before, a hand in the database) it is said here.
CREATE TRIGGER jobs_schedule BEFORE INSERT ON jobs
    FOR EACH ROW WHEN (NEW.state = 'PENDING' AND NEW.scheduled IS DISTINCT FROM (NEW.run_at > clock_timestamp()))
    EXECUTE FUNCTION schedule_job();
CREATE FUNCTION complete_job_put_back() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE jobs SET
        scheduled = run_at > clock_timestamp(),
        updated_at = CASE WHEN NEW.updated_at = OLD.updated_at THEN clock_timestamp() ELSE updated_at END
    WHERE id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_put_back AFTER UPDATE OF state, run_at ON jobs
    FOR EACH ROW WHEN (NEW.state = 'PENDING' AND (NEW.updated_at = OLD.updated_at
                       OR NEW.scheduled IS DISTINCT FROM (NEW.run_at > clock_timestamp())))
    EXECUTE FUNCTION complete_job_put_back();

-- That a job is some organisation's was looked up again for each line of a bulk. All of a statement are looked up at once,
-- under the lock that a foreign key takes, so that neither they nor the organisation's end is missed.
ALTER TABLE jobs DROP CONSTRAINT jobs_tenant_id_fkey;
CREATE FUNCTION refuse_jobs_of_nobody() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    named uuid[] := ARRAY(SELECT DISTINCT tenant_id FROM written);
    known integer;
BEGIN
    PERFORM FROM organisations WHERE id = ANY (named) ORDER BY id FOR KEY SHARE;
    GET DIAGNOSTICS known = ROW_COUNT;
    IF known < cardinality(named) THEN
        RAISE EXCEPTION 'a job belongs to an organisation that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_organisation_of_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    -- A job that was written since an older snapshot would not be seen.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an organisation goes in a transaction that is READ COMMITTED' USING ERRCODE = 'feature_not_supported';
    END IF;
    IF EXISTS (SELECT FROM jobs WHERE tenant_id = OLD.id) THEN
        RAISE EXCEPTION 'an organisation that has jobs cannot go' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION refuse_another_tenant() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'a job stays its organisation''s' USING ERRCODE = 'check_violation';
END
$$;
REVOKE ALL ON FUNCTION refuse_jobs_of_nobody(), keep_organisation_of_jobs() FROM PUBLIC;
CREATE TRIGGER jobs_of_an_organisation AFTER INSERT ON jobs REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_jobs_of_nobody();
CREATE TRIGGER jobs_keep_their_organisation AFTER UPDATE OF tenant_id ON jobs
    FOR EACH ROW WHEN (OLD.tenant_id IS DISTINCT FROM NEW.tenant_id) EXECUTE FUNCTION refuse_another_tenant();
CREATE TRIGGER organisations_keep_jobs AFTER DELETE OR UPDATE OF id ON organisations
    FOR EACH ROW EXECUTE FUNCTION keep_organisation_of_jobs();
