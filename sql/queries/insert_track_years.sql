INSERT INTO best_track_year (dataset_id, year)
SELECT %(dataset_id)s, unnest(%(years)s::smallint[])
ON CONFLICT DO NOTHING
