INSERT INTO ingest_block (dataset_id, first_point, last_point, cells, series_inserted, series_updated, series_unchanged)
VALUES (%(dataset_id)s, %(first_point)s, %(last_point)s, %(cells)s, %(inserted)s, %(updated)s, %(unchanged)s)
