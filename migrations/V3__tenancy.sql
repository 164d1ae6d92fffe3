-- Who there is: organisations (tenants), users, their membership and their API keys.
CREATE TABLE organisations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    personal boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE members (
    tenant_id uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

-- A key is shown once, at its creation; what is kept is its prefix, to find it, and its hash, to prove it.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    prefix text NOT NULL UNIQUE CHECK (length(prefix) = 12),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (tenant_id, user_id) REFERENCES members ON DELETE CASCADE
);

CREATE TRIGGER organisations_touch BEFORE UPDATE ON organisations
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER users_touch BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON organisations, members, api_keys TO resettle_gateway;
CREATE POLICY of_the_tenant ON organisations USING (id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON members USING (tenant_id = (SELECT current_tenant()));
CREATE POLICY of_the_tenant ON api_keys USING (tenant_id = (SELECT current_tenant()));

-- The look-up of a key comes before there is a tenant, so it runs with the owner's rights and answers just
-- what is needed to prove the key. Expiry is judged here, by the database's clock (law 5).
CREATE FUNCTION find_api_key(wanted_prefix text)
RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, hash bytea, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT k.id, k.tenant_id, k.user_id, m.role, k.hash, k.expires_at
    FROM api_keys k
    JOIN members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
    WHERE k.prefix = wanted_prefix
      AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
$$;
REVOKE ALL ON FUNCTION find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(text) TO resettle_gateway, resettle_broadcaster;
