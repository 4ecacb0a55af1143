WITH written AS (
    INSERT INTO basin AS known (basin_id, name, mean_flow_million_m3, dataset_id)
    SELECT basin_id, name, mean_flow_million_m3, %(dataset_id)s
    FROM unnest(%(basin_id)s::text[], %(name)s::text[], %(mean_flow_million_m3)s::float8[])
        AS given (basin_id, name, mean_flow_million_m3)
    ON CONFLICT (basin_id) DO UPDATE SET
        name = coalesce(excluded.name, known.name), mean_flow_million_m3 = excluded.mean_flow_million_m3,
        dataset_id = excluded.dataset_id
        WHERE (known.name, known.mean_flow_million_m3)
            IS DISTINCT FROM (coalesce(excluded.name, known.name), excluded.mean_flow_million_m3)
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
