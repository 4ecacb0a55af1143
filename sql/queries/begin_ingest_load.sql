INSERT INTO ingest_load (dataset_id, n_points, files)
VALUES (%(dataset_id)s, %(n_points)s, %(files)s)
ON CONFLICT (dataset_id) DO NOTHING
