-- The table of a migration's moves, second guard: `domain::migration::MigrationState::allows` is the first, and a
-- test compares them. And who waits for a person or a budget holds no job, so that it can hold no lease.
CREATE FUNCTION migration_move_allowed(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (from_state, to_state) IN (
        ('queued', 'analyzing'), ('queued', 'processing'), ('queued', 'paused'),
        ('queued', 'failed'), ('queued', 'cancelled'),
        ('analyzing', 'awaiting_ownership'), ('analyzing', 'questionnaire'), ('analyzing', 'processing'),
        ('analyzing', 'paused'), ('analyzing', 'failed'), ('analyzing', 'cancelled'),
        ('awaiting_ownership', 'questionnaire'), ('awaiting_ownership', 'processing'),
        ('awaiting_ownership', 'failed'), ('awaiting_ownership', 'cancelled'),
        ('questionnaire', 'processing'), ('questionnaire', 'failed'), ('questionnaire', 'cancelled'),
        ('processing', 'completed'), ('processing', 'paused'), ('processing', 'failed'), ('processing', 'cancelled'),
        ('paused', 'queued'), ('paused', 'analyzing'), ('paused', 'processing'),
        ('paused', 'failed'), ('paused', 'cancelled'),
        ('completed', 'queued'), ('failed', 'queued')
    )
$$;
CREATE FUNCTION refuse_illegal_migration_move() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT migration_move_allowed(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'a migration cannot move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('awaiting_ownership', 'questionnaire', 'paused') AND EXISTS (
        SELECT FROM jobs
        WHERE migration_id = NEW.id AND state NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
    ) THEN
        RAISE EXCEPTION 'a migration that waits (%) holds no job', NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER migrations_moves BEFORE UPDATE OF state ON migrations
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_illegal_migration_move();
