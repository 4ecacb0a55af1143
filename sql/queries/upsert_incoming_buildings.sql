-- What is not given (NULL) stays as it is. In the order of the key, so that two loads at once wait, and do not deadlock.
WITH written AS (
    INSERT INTO api_buildings AS known (
        building_id, name, latitude, longitude, floor_area_m2, built_year, structure, floors, basement_floors, use,
        water_tank, pilotis, in_flood_zone, dataset_id)
    SELECT building_id, name, latitude, longitude, floor_area_m2, built_year, structure, floors, basement_floors, use,
           water_tank, pilotis, in_flood_zone, %(dataset_id)s
    FROM incoming_buildings
    ORDER BY building_id
    ON CONFLICT (building_id) DO UPDATE SET
        name = coalesce(excluded.name, known.name),
        latitude = excluded.latitude,
        longitude = excluded.longitude,
        floor_area_m2 = coalesce(excluded.floor_area_m2, known.floor_area_m2),
        built_year = coalesce(excluded.built_year, known.built_year),
        structure = coalesce(excluded.structure, known.structure),
        floors = coalesce(excluded.floors, known.floors),
        basement_floors = coalesce(excluded.basement_floors, known.basement_floors),
        use = coalesce(excluded.use, known.use),
        water_tank = coalesce(excluded.water_tank, known.water_tank),
        pilotis = coalesce(excluded.pilotis, known.pilotis),
        in_flood_zone = coalesce(excluded.in_flood_zone, known.in_flood_zone),
        dataset_id = excluded.dataset_id
        WHERE (known.name, known.latitude, known.longitude, known.floor_area_m2, known.built_year, known.structure,
               known.floors, known.basement_floors, known.use, known.water_tank, known.pilotis, known.in_flood_zone)
            IS DISTINCT FROM
              (coalesce(excluded.name, known.name), excluded.latitude, excluded.longitude,
               coalesce(excluded.floor_area_m2, known.floor_area_m2), coalesce(excluded.built_year, known.built_year),
               coalesce(excluded.structure, known.structure), coalesce(excluded.floors, known.floors),
               coalesce(excluded.basement_floors, known.basement_floors), coalesce(excluded.use, known.use),
               coalesce(excluded.water_tank, known.water_tank), coalesce(excluded.pilotis, known.pilotis),
               coalesce(excluded.in_flood_zone, known.in_flood_zone))
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted),
       (SELECT count(*) FROM incoming_buildings) - count(*)
FROM written
