WITH written AS (
    INSERT INTO climate_data AS old (variable, grid_id, scenario, first_year, values, dataset_id)
    SELECT variable, grid_id, scenario, first_year, values, %(dataset_id)s
    FROM incoming_series
    ORDER BY variable, grid_id, scenario
    ON CONFLICT (variable, grid_id, scenario) DO UPDATE SET
        first_year = excluded.first_year, values = excluded.values, dataset_id = excluded.dataset_id
        WHERE (old.first_year, old.values) IS DISTINCT FROM (excluded.first_year, excluded.values)
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted),
       count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM incoming_series) - count(*)
FROM written
