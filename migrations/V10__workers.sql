-- Worker processes: one row per start, with the address at which each answers what it is doing.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    grpc_address text NOT NULL CHECK (length(grpc_address) BETWEEN 1 AND 300),
    concurrency integer NOT NULL CHECK (concurrency BETWEEN 1 AND 1000),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at timestamptz
) WITH (fillfactor = 50);

ALTER TABLE workers ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_queue ON workers TO resettle_worker, resettle_gateway USING (true);
GRANT SELECT ON workers TO resettle_gateway;
GRANT SELECT, INSERT, UPDATE ON workers TO resettle_worker;
