WITH written AS (
    INSERT INTO water_use AS known (basin_id, scenario, year, withdrawal_million_m3, dataset_id)
    SELECT basin_id, scenario, year, withdrawal_million_m3, %(dataset_id)s
    FROM unnest(%(basin_id)s::text[], %(scenario)s::text[], %(year)s::smallint[], %(withdrawal_million_m3)s::float8[])
        AS given (basin_id, scenario, year, withdrawal_million_m3)
    ON CONFLICT (basin_id, scenario, year) DO UPDATE SET
        withdrawal_million_m3 = excluded.withdrawal_million_m3, dataset_id = excluded.dataset_id
        WHERE known.withdrawal_million_m3 IS DISTINCT FROM excluded.withdrawal_million_m3
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
