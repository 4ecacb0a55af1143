WITH blocks AS (
    DELETE FROM ingest_block WHERE dataset_id = %(dataset_id)s
)
DELETE FROM ingest_load WHERE dataset_id = %(dataset_id)s
