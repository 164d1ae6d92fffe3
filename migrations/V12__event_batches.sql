-- The number of the last batch of events that was told under a lease: a batch that is said again, because the
-- answer of its commit was lost, is known by its number and not written twice. No index, so heartbeats stay HOT.
ALTER TABLE leases ADD COLUMN last_batch bigint NOT NULL DEFAULT 0 CHECK (last_batch >= 0);
