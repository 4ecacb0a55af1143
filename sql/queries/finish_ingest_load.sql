UPDATE ingest_load SET finished_at = now() WHERE dataset_id = %(dataset_id)s
