WITH written AS (
    INSERT INTO warming_level AS known (scenario, year, regional, warming_k, dataset_id)
    SELECT scenario, year, %(regional)s, warming_k, %(dataset_id)s
    FROM unnest(%(scenario)s::text[], %(year)s::smallint[], %(warming_k)s::float8[])
        AS given (scenario, year, warming_k)
    ON CONFLICT (scenario, year, regional) DO UPDATE SET
        warming_k = excluded.warming_k, dataset_id = excluded.dataset_id
        WHERE known.warming_k IS DISTINCT FROM excluded.warming_k
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
