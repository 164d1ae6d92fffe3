-- A lease and a transition are written by the statement that changes their job's row, which stays locked to the commit:
-- there is no moment at which the job could be gone. To look it up again for each of them, as a foreign key does, cost about a
-- sixth of what a job costs the server. What the keys did when a job is deleted is done here, once for all that go together.
ALTER TABLE transitions DROP CONSTRAINT transitions_job_id_fkey;
ALTER TABLE leases DROP CONSTRAINT leases_job_id_fkey;

-- With the owner's rights, as the keys did it: no service's role may delete transitions. The ids go on as an array, so that
-- each is found by its index whatever number the plan was made for.
CREATE FUNCTION delete_trail_of_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT id FROM gone);
BEGIN
    DELETE FROM leases WHERE job_id = ANY (ids);
    DELETE FROM transitions WHERE job_id = ANY (ids);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION delete_trail_of_jobs() FROM PUBLIC;
CREATE TRIGGER jobs_trail AFTER DELETE ON jobs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION delete_trail_of_jobs();
