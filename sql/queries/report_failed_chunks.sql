SELECT chunk_no, first_grid_id, last_grid_id, n_cells, tries, error
FROM batch_chunks
WHERE batch_id = %(batch_id)s AND state = 'failed'
ORDER BY chunk_no
LIMIT %(most)s
