-- Operators set gates themselves: their role writes these and nothing else, no row of a tenant. Each change leaves a line
-- that nobody may alter; the database writes it, so that none is forgotten.
CREATE TABLE gate_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope text NOT NULL,
    key text NOT NULL,
    user_id uuid REFERENCES users, -- the operator who said so; NULL: the schema's owner, by hand
    before jsonb, -- what the gate said; NULL: nothing
    after jsonb,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION log_gate_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    kept text[] := ARRAY['weight', 'most', 'per_second', 'burst', 'paused_at', 'pause_reason'];
    before jsonb := (SELECT jsonb_object_agg(name, value) FROM jsonb_each(to_jsonb(OLD)) AS each (name, value)
                     WHERE name = ANY (kept) AND value <> 'null');
    after jsonb := (SELECT jsonb_object_agg(name, value) FROM jsonb_each(to_jsonb(NEW)) AS each (name, value)
                    WHERE name = ANY (kept) AND value <> 'null');
    who uuid := nullif(current_setting('app.user', true), '')::uuid;
BEGIN
    IF who IS NULL AND session_user = 'resettle_operator' THEN
        RAISE EXCEPTION 'a gate changes and nobody says who changes it' USING ERRCODE = 'check_violation';
    END IF;
    IF before IS DISTINCT FROM after THEN
        INSERT INTO gate_changes (scope, key, user_id, before, after)
        VALUES (coalesce(NEW.scope, OLD.scope), coalesce(NEW.key, OLD.key), who, before, after);
    END IF;
    RETURN NULL;
END
$$;
-- Not when a worker takes tokens out of a bucket.
CREATE TRIGGER gates_log
    AFTER INSERT OR DELETE OR UPDATE OF scope, key, weight, most, per_second, burst, paused_at, pause_reason ON gates
    FOR EACH ROW EXECUTE FUNCTION log_gate_change();

ALTER TABLE gate_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_operator ON gate_changes FOR SELECT TO resettle_operator USING (true);
GRANT SELECT ON gate_changes TO resettle_operator;
DROP POLICY of_the_operator ON gates;
CREATE POLICY of_the_operator ON gates TO resettle_operator USING (true);
GRANT INSERT, UPDATE, DELETE ON gates TO resettle_operator;
