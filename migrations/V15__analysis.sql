-- What ANALYZE knows of a site: a row per depth, a row per page, and the journal that a second attempt goes on from.
-- The shallow row is there within seconds; the deep one is written in the transaction that completes the phase, and
-- with it the pages, which are written before in batches, become visible.
CREATE TABLE site_analyses (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 1),
    depth text NOT NULL CHECK (depth IN ('shallow', 'deep')),
    tenant_id uuid NOT NULL REFERENCES organisations,
    epoch bigint NOT NULL CHECK (epoch >= 1), -- the lease that wrote it
    size_class text NOT NULL CHECK (size_class IN ('small', 'medium', 'large', 'enterprise')),
    pages integer NOT NULL CHECK (pages >= 0), -- read, or with a shallow one: estimated
    ai_seconds bigint NOT NULL CHECK (ai_seconds >= 0),
    errors integer NOT NULL CHECK (errors >= 0),
    warnings integer NOT NULL CHECK (warnings >= 0),
    infos integer NOT NULL CHECK (infos >= 0),
    truncated text CHECK (length(truncated) BETWEEN 1 AND 100),
    facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, run, depth),
    CHECK (octet_length(facts::text) <= 16777216)
);

-- `number` is a page's place in canonical order, from 1: what lists are paged by. Addresses may be longer than a key
-- of an index can be, so that they are unique by their hash.
CREATE TABLE site_pages (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 1),
    number integer NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    tenant_id uuid NOT NULL REFERENCES organisations,
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 65536),
    url_hash bytea NOT NULL CHECK (length(url_hash) = 32),
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_-]{0,39}$'),
    status smallint NOT NULL CHECK (status BETWEEN 100 AND 999),
    title text CHECK (length(title) <= 1000),
    language text CHECK (length(language) BETWEEN 1 AND 100),
    words integer NOT NULL CHECK (words >= 0),
    depth integer NOT NULL CHECK (depth >= 0),
    problems integer NOT NULL CHECK (problems >= 0),
    problem_codes text[] NOT NULL, -- distinct
    body_hash text NOT NULL CHECK (body_hash ~ '^[0-9a-f]{64}$'),
    facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, run, number),
    UNIQUE (migration_id, run, url_hash),
    CHECK (cardinality(problem_codes) <= problems),
    CHECK (octet_length(facts::text) <= 4194304)
);
CREATE INDEX site_pages_by_kind ON site_pages (migration_id, run, kind, number);
CREATE INDEX site_pages_with_problems ON site_pages (migration_id, run, number) WHERE problems > 0;

-- The journal of a crawl: its head, which any worker may see so that it can be swept, and what came of each request,
-- which only its tenant's transactions see. It is closed in the transaction that keeps the result, and removed later.
CREATE TABLE crawl_journals (
    migration_id uuid NOT NULL REFERENCES migrations ON DELETE CASCADE,
    run integer NOT NULL CHECK (run >= 1),
    tenant_id uuid NOT NULL REFERENCES organisations,
    visits integer NOT NULL DEFAULT 0 CHECK (visits BETWEEN 0 AND 1000000),
    bytes bigint NOT NULL DEFAULT 0 CHECK (bytes BETWEEN 0 AND 68719476736), -- written in all
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, run)
);

CREATE TABLE crawl_visits (
    migration_id uuid NOT NULL,
    run integer NOT NULL,
    key_hash bytea NOT NULL CHECK (length(key_hash) = 16),
    tenant_id uuid NOT NULL,
    epoch bigint NOT NULL CHECK (epoch >= 1), -- the lease that wrote it
    key text NOT NULL CHECK (length(key) <= 2048), -- for people: how the key begins
    visit bytea NOT NULL CHECK (length(visit) BETWEEN 1 AND 16777216),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration_id, run, key_hash),
    FOREIGN KEY (migration_id, run) REFERENCES crawl_journals ON DELETE CASCADE
);

CREATE TRIGGER site_analyses_touch BEFORE UPDATE ON site_analyses
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER crawl_journals_touch BEFORE UPDATE ON crawl_journals
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE site_analyses ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE crawl_journals ENABLE ROW LEVEL SECURITY;
ALTER TABLE crawl_visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_tenant ON site_analyses USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON site_pages USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_queue ON crawl_journals TO resettle_worker USING (true);
CREATE POLICY of_the_tenant ON crawl_visits USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT ON site_analyses, site_pages TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE ON site_analyses TO resettle_worker;
GRANT SELECT, INSERT, DELETE ON site_pages TO resettle_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON crawl_journals TO resettle_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON crawl_visits TO resettle_worker;
