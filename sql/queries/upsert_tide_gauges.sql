WITH written AS (
    INSERT INTO tide_gauge AS known (gauge_id, name, latitude, longitude, datum_offset_m, dataset_id)
    SELECT gauge_id, name, latitude, longitude, datum_offset_m, %(dataset_id)s
    FROM unnest(%(gauge_id)s::text[], %(name)s::text[], %(latitude)s::float8[], %(longitude)s::float8[],
                %(datum_offset_m)s::float8[]) AS given (gauge_id, name, latitude, longitude, datum_offset_m)
    ON CONFLICT (gauge_id) DO UPDATE SET
        name = coalesce(excluded.name, known.name), latitude = excluded.latitude, longitude = excluded.longitude,
        datum_offset_m = excluded.datum_offset_m, dataset_id = excluded.dataset_id
        WHERE (known.name, known.latitude, known.longitude, known.datum_offset_m)
            IS DISTINCT FROM (coalesce(excluded.name, known.name), excluded.latitude, excluded.longitude,
                              excluded.datum_offset_m)
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
