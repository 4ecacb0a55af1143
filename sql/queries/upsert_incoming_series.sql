-- The counts see the table as it was before: inserted, updated, unchanged.
WITH written AS (
    INSERT INTO climate_data AS old (variable, grid_id, scenario, first_year, values, dataset_id)
    SELECT variable, grid_id, scenario, first_year, values, %(dataset_id)s
    FROM incoming_series
    ORDER BY variable, grid_id, scenario
    ON CONFLICT (variable, grid_id, scenario) DO UPDATE SET
        first_year = excluded.first_year, values = excluded.values, dataset_id = excluded.dataset_id
        WHERE (old.first_year, old.values) IS DISTINCT FROM (excluded.first_year, excluded.values)
           -- The same values from another origin: a generator's became real.
           OR (SELECT d.synthetic FROM dataset AS d WHERE d.dataset_id = old.dataset_id) <> %(synthetic)s
    RETURNING 1
), count AS (
    SELECT (SELECT count(*) FROM written) AS written,
           (SELECT count(*) FROM incoming_series) AS incoming,
           (SELECT count(*) FROM incoming_series JOIN climate_data USING (variable, grid_id, scenario)) AS known
)
SELECT incoming - known, written - (incoming - known), incoming - written
FROM count
