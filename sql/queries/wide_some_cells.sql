-- Some cells of a wide table of another database. Of its first million rows: none of them may have an index by cells.
SELECT DISTINCT grid_id FROM (SELECT grid_id FROM {table} WHERE grid_id IS NOT NULL LIMIT 1000000) AS first LIMIT 20
