WITH written AS (
    INSERT INTO best_track AS known (
        storm, name, time, grade, latitude, longitude, pressure_hpa, wind_kt, direction_50, longest_50_nm,
        shortest_50_nm, direction_30, longest_30_nm, shortest_30_nm, dataset_id)
    SELECT given.*, %(dataset_id)s
    FROM unnest(%(storm)s::text[], %(name)s::text[], %(time)s::timestamptz[], %(grade)s::smallint[],
                %(latitude)s::float8[], %(longitude)s::float8[], %(pressure_hpa)s::real[], %(wind_kt)s::real[],
                %(direction_50)s::smallint[], %(longest_50_nm)s::real[], %(shortest_50_nm)s::real[],
                %(direction_30)s::smallint[], %(longest_30_nm)s::real[], %(shortest_30_nm)s::real[]) AS given
    ON CONFLICT (storm, time) DO UPDATE SET
        name = excluded.name, grade = excluded.grade, latitude = excluded.latitude, longitude = excluded.longitude,
        pressure_hpa = excluded.pressure_hpa, wind_kt = excluded.wind_kt, direction_50 = excluded.direction_50,
        longest_50_nm = excluded.longest_50_nm, shortest_50_nm = excluded.shortest_50_nm,
        direction_30 = excluded.direction_30, longest_30_nm = excluded.longest_30_nm,
        shortest_30_nm = excluded.shortest_30_nm, dataset_id = excluded.dataset_id
        WHERE (known.name, known.grade, known.latitude, known.longitude, known.pressure_hpa, known.wind_kt,
               known.direction_50, known.longest_50_nm, known.shortest_50_nm, known.direction_30, known.longest_30_nm,
               known.shortest_30_nm)
            IS DISTINCT FROM
              (excluded.name, excluded.grade, excluded.latitude, excluded.longitude, excluded.pressure_hpa,
               excluded.wind_kt, excluded.direction_50, excluded.longest_50_nm, excluded.shortest_50_nm,
               excluded.direction_30, excluded.longest_30_nm, excluded.shortest_30_nm)
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
