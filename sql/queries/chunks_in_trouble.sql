-- Those that failed, and those that failed and are tried again.
SELECT chunk_no, state, first_grid_id, last_grid_id, n_cells, attempt, tries, worker, seconds, error, trace,
       started_at, completed_at
FROM batch_chunks
WHERE batch_id = %(batch_id)s AND error IS NOT NULL
ORDER BY state = 'failed' DESC, chunk_no
LIMIT %(most)s
