-- Of two hundred cells spread over all that have climate data: how many have a series of each variable and scenario.
WITH sample AS (
    SELECT grid_id FROM location_grid WHERE has_climate ORDER BY hashint4(grid_id) LIMIT 200
)
SELECT wanted.variable, s.scenario,
       (SELECT count(*) FROM sample
        WHERE EXISTS (SELECT FROM climate_data AS c
                      WHERE c.variable = wanted.variable AND c.grid_id = sample.grid_id AND c.scenario = s.scenario))::float8
       / nullif((SELECT count(*) FROM sample), 0) AS share
FROM unnest(%(variables)s::text[]) AS wanted (variable) CROSS JOIN scenario AS s
