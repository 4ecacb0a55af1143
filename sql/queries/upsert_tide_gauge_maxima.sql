WITH written AS (
    INSERT INTO tide_gauge_maximum AS known (gauge_id, year, level_m, dataset_id)
    SELECT gauge_id, year, level_m, %(dataset_id)s
    FROM unnest(%(gauge_id)s::text[], %(year)s::smallint[], %(level_m)s::float8[]) AS given (gauge_id, year, level_m)
    ON CONFLICT (gauge_id, year) DO UPDATE SET level_m = excluded.level_m, dataset_id = excluded.dataset_id
        WHERE known.level_m IS DISTINCT FROM excluded.level_m
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
