SELECT coalesce((SELECT finished_at IS NOT NULL FROM ingest_load WHERE dataset_id = %(dataset_id)s), false),
       coalesce(array_agg(first_point ORDER BY first_point), '{}'),
       coalesce(array_agg(last_point ORDER BY first_point), '{}'),
       coalesce(sum(cells), 0)::integer,
       coalesce(sum(series_inserted), 0)::integer,
       coalesce(sum(series_updated), 0)::integer,
       coalesce(sum(series_unchanged), 0)::integer
FROM ingest_block
WHERE dataset_id = %(dataset_id)s
