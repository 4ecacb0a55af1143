SELECT state, count(*) AS chunks, sum(n_cells) AS cells, coalesce(sum(tries), 0) AS tries
FROM batch_chunks
WHERE batch_id = %(batch_id)s
GROUP BY state
ORDER BY state
