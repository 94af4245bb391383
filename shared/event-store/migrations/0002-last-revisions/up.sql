/* The last revision of each stream, in their order; null where there is none. One index probe each. */
CREATE FUNCTION event_store.last_revisions(p_streams text[])
RETURNS SETOF bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
  SELECT (SELECT e.revision FROM event_store.events e WHERE e.stream = p.stream
            ORDER BY e.revision DESC LIMIT 1)
  FROM unnest(p_streams) WITH ORDINALITY AS p(stream, n)
  ORDER BY p.n
$$;
