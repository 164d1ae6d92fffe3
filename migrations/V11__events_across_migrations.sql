-- Readers that follow all of a tenant's migrations ask for its events from a transaction number on. The index of
-- V6 by transaction alone stays: the horizon's lag is measured over all tenants.
CREATE INDEX events_of_tenant_by_xact ON events (tenant_id, xact, migration_id, seq);
