SELECT state, count(*) AS chunks, sum(n_cells) AS items
FROM batch_chunks
WHERE batch_id = %(batch_id)s
GROUP BY state
ORDER BY state
