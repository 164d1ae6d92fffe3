-- One role per service (law 10). None owns a table or bypasses row-level security. Roles belong to the whole
-- cluster, so another database's migration may create them at the same moment: both races are harmless.
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['resettle_gateway', 'resettle_worker', 'resettle_broadcaster'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN NOBYPASSRLS NOSUPERUSER', service);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO resettle_gateway, resettle_worker, resettle_broadcaster;

-- The tenant of the current transaction: set_config('app.tenant', …, true). NULL sees nothing.
CREATE FUNCTION current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;
