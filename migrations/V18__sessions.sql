-- Browsers that were signed in by a key. As with keys, only a token's hash is kept; a session never outlives its key.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    api_key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at timestamptz,
    FOREIGN KEY (tenant_id, user_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX sessions_key ON sessions (api_key_id);
CREATE INDEX sessions_member ON sessions (tenant_id, user_id);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, DELETE ON sessions TO resettle_gateway;
GRANT UPDATE (revoked_at) ON sessions TO resettle_gateway;
CREATE POLICY of_the_tenant ON sessions
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));

-- Like find_api_key: asked before there is a tenant, judged by the database's clock.
CREATE FUNCTION find_session(wanted_hash bytea)
RETURNS TABLE (
    id uuid, tenant_id uuid, user_id uuid, api_key_id uuid, role text, expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT s.id, s.tenant_id, s.user_id, s.api_key_id, m.role, least(s.expires_at, k.expires_at)
    FROM sessions s
    JOIN api_keys k ON k.id = s.api_key_id
    JOIN members m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
    WHERE s.hash = wanted_hash
      AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
$$;

-- Which of these keys and sessions open nothing any more. Whoever holds an answer open asks it for all at once.
CREATE FUNCTION ended_credentials(open_keys uuid[], open_sessions uuid[])
RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT asked.id
    FROM unnest(open_keys) AS asked (id)
    LEFT JOIN api_keys k ON k.id = asked.id
    WHERE k.id IS NULL OR k.revoked_at IS NOT NULL OR k.expires_at <= clock_timestamp()
    UNION ALL
    SELECT asked.id
    FROM unnest(open_sessions) AS asked (id)
    LEFT JOIN sessions s ON s.id = asked.id
    LEFT JOIN api_keys k ON k.id = s.api_key_id
    WHERE s.id IS NULL OR s.revoked_at IS NOT NULL OR s.expires_at <= clock_timestamp()
       OR k.revoked_at IS NOT NULL OR k.expires_at <= clock_timestamp()
$$;

REVOKE ALL ON FUNCTION find_session(bytea), ended_credentials(uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_session(bytea), ended_credentials(uuid[], uuid[])
    TO resettle_gateway, resettle_broadcaster;
