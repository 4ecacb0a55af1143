-- By state and, of those that are done, by how long they took: place 0 is below the first of the limits (seconds).
SELECT state,
       CASE WHEN state = 'done'
            THEN width_bucket(extract(epoch FROM completed_at - started_at)::float8, %(limits)s::float8[]) END AS place,
       count(*),
       sum(n_cells) AS cells,
       sum(extract(epoch FROM completed_at - started_at)::float8) AS seconds
FROM batch_chunks
GROUP BY 1, 2
