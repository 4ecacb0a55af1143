SELECT chunk_no, state, first_grid_id, last_grid_id, n_cells, attempt, tries, worker, seconds, rows_written,
       cells_without_result, error, trace, started_at, completed_at
FROM batch_chunks
WHERE batch_id = %(batch_id)s AND chunk_no = %(chunk_no)s
