-- The lowest schema version that a binary must know to run on this database. An additive step leaves it, so
-- that older binaries keep running; a step that older binaries cannot live with raises it to its own number.
CREATE TABLE schema_compatibility (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    min_reader integer NOT NULL CHECK (min_reader > 0)
);
INSERT INTO schema_compatibility (min_reader) VALUES (1);
GRANT SELECT ON schema_compatibility TO resettle_gateway, resettle_worker, resettle_broadcaster;
