-- Dead letters are settled by people: replayed, one or many, or discarded with a reason. What they are looked up by
-- stands beside the whole job; and the audit log keeps the failure of each attempt.
ALTER TABLE transitions ADD COLUMN failure jsonb; -- of the attempt that ended with this move

ALTER TABLE dead_letters
    ADD COLUMN kind text NOT NULL GENERATED ALWAYS AS (job->>'kind') STORED,
    ADD COLUMN migration_id uuid GENERATED ALWAYS AS ((job->>'migration_id')::uuid) STORED,
    ADD COLUMN reason text NOT NULL GENERATED ALWAYS AS (coalesce(failure->>'reason', 'internal')) STORED,
    ADD COLUMN code text NOT NULL GENERATED ALWAYS AS (coalesce(failure->>'code', 'internal')) STORED,
    ADD COLUMN state text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN replayed_at IS NOT NULL THEN 'replayed' WHEN discarded_at IS NOT NULL THEN 'discarded' ELSE 'open' END
    ) STORED,
    ADD COLUMN settled_by uuid, -- a user
    ADD CHECK (replayed_at IS NULL OR discarded_at IS NULL),
    ADD CHECK ((settled_by IS NULL) = (replayed_at IS NULL AND discarded_at IS NULL)),
    ADD CHECK (length(discard_reason) BETWEEN 1 AND 500);
-- The ids are in the order of time.
CREATE INDEX dead_letters_by_id ON dead_letters (tenant_id, id);
CREATE INDEX dead_letters_open ON dead_letters (tenant_id, id) WHERE replayed_at IS NULL AND discarded_at IS NULL;
GRANT UPDATE (replayed_at, discarded_at, discard_reason, settled_by) ON dead_letters TO resettle_gateway;
GRANT UPDATE (replayed_at, settled_by) ON dead_letters TO resettle_worker;

-- A replay of many: workers take it letter by letter, each in a transaction that also counts it, so that it goes on
-- where it was after whatever happens, and stops where it is when somebody calls it off.
CREATE TABLE replays (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES organisations,
    user_id uuid NOT NULL REFERENCES users,
    filter jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object' AND filter <> '{}'),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'cancelled')),
    found integer NOT NULL CHECK (found >= 0), -- at its beginning, counted up to a bound
    replayed integer NOT NULL DEFAULT 0 CHECK (replayed >= 0),
    refused integer NOT NULL DEFAULT 0 CHECK (refused >= 0), -- their migration went on without them
    last_letter uuid,
    trace jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX replays_running ON replays (created_at) WHERE state = 'running';
CREATE TRIGGER replays_touch BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE replays ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON replays TO resettle_gateway USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON replays TO resettle_worker USING (true);
GRANT SELECT, INSERT ON replays TO resettle_gateway;
GRANT UPDATE (state, finished_at) ON replays TO resettle_gateway;
GRANT SELECT ON replays TO resettle_worker;
GRANT UPDATE (state, finished_at, replayed, refused, last_letter, updated_at) ON replays TO resettle_worker;
