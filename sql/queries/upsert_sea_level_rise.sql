WITH written AS (
    INSERT INTO sea_level_rise AS known (gauge_id, scenario, year, rise_m, dataset_id)
    SELECT gauge_id, scenario, year, rise_m, %(dataset_id)s
    FROM unnest(%(gauge_id)s::text[], %(scenario)s::text[], %(year)s::smallint[], %(rise_m)s::float8[])
        AS given (gauge_id, scenario, year, rise_m)
    ON CONFLICT (gauge_id, scenario, year) DO UPDATE SET rise_m = excluded.rise_m, dataset_id = excluded.dataset_id
        WHERE known.rise_m IS DISTINCT FROM excluded.rise_m
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
