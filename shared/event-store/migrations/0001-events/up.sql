-- One row. Its lock puts all writers of this store in line: see notes.md.
CREATE TABLE event_store.head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  position bigint NOT NULL DEFAULT 0
);
INSERT INTO event_store.head DEFAULT VALUES;

-- `json` keeps the bytes that were hashed; `jsonb` would order keys and rewrite numbers.
CREATE TABLE event_store.events (
  position bigint NOT NULL,
  revision bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  id uuid NOT NULL,
  stream text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  data json NOT NULL,
  metadata json NOT NULL,
  PRIMARY KEY (stream, revision)
);
CREATE UNIQUE INDEX events_id ON event_store.events (id);
CREATE UNIQUE INDEX events_category_position
  ON event_store.events ((split_part(stream, '-', 1)) COLLATE "C", position);

/*
 * Stores a batch of appends ("parts"), each for another stream, in one call and one transaction. A part whose
 * expectation fails is left out; the others are stored.
 *
 * Of each part: stream, expected revision (-1: no stream, -2: any) and number of events.
 * Of each event, parts in order: its part (from 1), its place in it (from 0), id, type, data, metadata.
 *
 * Answers the position before the batch; each part's first revision (empty: not stored now), comma-separated;
 * and the parts that were not stored now: [{part, already, revision, position}], where revision is the last one of the
 * append if it was already stored, else the stream's (-1: no such stream).
 *
 * Generic plans, because planning anew for each array length took longer than a lone append.
 */
CREATE FUNCTION event_store.append(
  p_categories text[],
  p_streams text[],
  p_expected bigint[],
  p_counts int[],
  p_parts int[],
  p_offsets int[],
  p_ids uuid[],
  p_types text[],
  p_data json[],
  p_metadata json[],
  OUT o_head bigint,
  OUT o_first_revisions text,
  OUT o_not_stored json
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now timestamptz;
  v_actual bigint[];
  v_first bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_streams)]);
  v_not_stored json[];
  v_ids uuid[];
  v_expected bigint;
  v_event int := 0;
  v_stored int := 0;
  v_inserted int;
  v_position bigint;
BEGIN
  -- What is read below must be what the last holder of the lock committed.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE 'event_store.append needs the isolation level read committed';
  END IF;

  UPDATE event_store.head SET position = position + cardinality(p_ids)
    RETURNING position - cardinality(p_ids) INTO STRICT o_head;
  v_now := clock_timestamp();

  v_actual := ARRAY(
    SELECT coalesce(
      (SELECT e.revision FROM event_store.events e WHERE e.stream = p.stream
         ORDER BY e.revision DESC LIMIT 1), -1)
    FROM unnest(p_streams) WITH ORDINALITY AS p(stream, n) ORDER BY p.n);

  FOR i IN 1 .. cardinality(p_streams) LOOP
    v_expected := p_expected[i];
    IF v_expected = -2 THEN
      SELECT e.revision - 1 INTO v_expected FROM event_store.events e
        WHERE e.id = p_ids[v_event + 1] AND e.stream = p_streams[i];
      v_expected := coalesce(v_expected, v_actual[i]);
    END IF;
    IF v_expected = v_actual[i] THEN
      v_first[i] := v_expected + 1;
      v_stored := v_stored + p_counts[i];
    ELSE
      SELECT array_agg(e.id ORDER BY e.revision), max(e.position) INTO v_ids, v_position
        FROM event_store.events e
        WHERE e.stream = p_streams[i]
          AND e.revision > v_expected AND e.revision <= v_expected + p_counts[i];
      v_not_stored := v_not_stored || CASE
        WHEN v_ids = p_ids[v_event + 1 : v_event + p_counts[i]] THEN json_build_object(
          'part', i, 'already', true,
          'revision', v_expected + p_counts[i], 'position', v_position)
        ELSE json_build_object('part', i, 'already', false, 'revision', v_actual[i])
      END;
    END IF;
    v_event := v_event + p_counts[i];
  END LOOP;

  o_first_revisions := array_to_string(v_first, ',', '');
  o_not_stored := array_to_json(v_not_stored);

  IF v_stored < cardinality(p_ids) THEN
    UPDATE event_store.head SET position = o_head + v_stored;
  END IF;
  IF v_stored = 0 THEN
    RETURN;
  END IF;

  INSERT INTO event_store.events
    (position, revision, recorded_at, id, stream, type, data, metadata)
  SELECT o_head + row_number() OVER (ORDER BY e.n), p.first + e.place, v_now,
         e.id, p.stream, e.type, e.data, e.metadata
  FROM unnest(p_parts, p_offsets, p_ids, p_types, p_data, p_metadata)
         WITH ORDINALITY AS e(part, place, id, type, data, metadata, n)
  JOIN unnest(p_streams, v_first) WITH ORDINALITY AS p(stream, first, part)
    ON p.part = e.part AND p.first IS NOT NULL;

  -- Arrays of different lengths would otherwise leave a hole in the global order.
  GET DIAGNOSTICS v_inserted = ROW_COUNT;
  IF v_inserted <> v_stored THEN
    RAISE 'event_store.append: % events announced, % given', v_stored, v_inserted;
  END IF;

  PERFORM pg_notify('event_store:' || c, '') FROM unnest(p_categories) AS c;
END
$$;

/*
 * The next events of some categories in global order. One short index walk per category; the settings keep the
 * planner from collecting and sorting millions of rows for a page when its statistics are stale.
 */
CREATE FUNCTION event_store.read_categories(p_categories text[], p_after bigint, p_limit int)
RETURNS SETOF event_store.events
LANGUAGE sql STABLE
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
  SELECT e.*
  FROM unnest(p_categories) AS c
  CROSS JOIN LATERAL (
    SELECT * FROM event_store.events
    WHERE split_part(stream, '-', 1) COLLATE "C" = c AND position > p_after
    ORDER BY position
    LIMIT p_limit
  ) AS e
  ORDER BY e.position
  LIMIT p_limit
$$;

/* A stream's events from a revision on, in order; the same precaution. */
CREATE FUNCTION event_store.read_stream(p_stream text, p_from bigint, p_limit int)
RETURNS SETOF event_store.events
LANGUAGE sql STABLE
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
  SELECT * FROM event_store.events
  WHERE stream = p_stream AND revision >= p_from
  ORDER BY revision
  LIMIT p_limit
$$;

/* The last position of some categories; one index probe each. */
CREATE FUNCTION event_store.head_of_categories(p_categories text[])
RETURNS bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
  SELECT max(e.position)
  FROM unnest(p_categories) AS c
  CROSS JOIN LATERAL (
    SELECT position FROM event_store.events
    WHERE split_part(stream, '-', 1) COLLATE "C" = c
    ORDER BY position DESC
    LIMIT 1
  ) AS e
$$;
