-- What a broadcaster looks for unasked: which of the histories that somebody follows have grown since it last read
-- them. One question for all of them, whoever they belong to; it names each by its id, and learns a number that it
-- would read there anyway.
CREATE FUNCTION grown_histories(followed uuid[], read_to bigint[])
RETURNS TABLE (migration_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT h.migration_id
    FROM unnest(followed, read_to) AS asked (id, seq)
    JOIN event_heads h ON h.migration_id = asked.id
    WHERE h.last_seq > asked.seq
$$;
REVOKE ALL ON FUNCTION grown_histories(uuid[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION grown_histories(uuid[], bigint[]) TO resettle_broadcaster;
