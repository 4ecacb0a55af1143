-- What is not given (NULL) stays as it is.
WITH written AS (
    INSERT INTO location_grid AS known (
        grid_id, elevation_m, slope, coast_distance_m, river_distance_m, river_elevation_m, forest_distance_m,
        impervious_ratio, crest_m, basin_id, admin_code, name, name_ko, attributes_dataset)
    SELECT given.*, %(dataset_id)s
    FROM unnest(%(grid_id)s::integer[], %(elevation_m)s::real[], %(slope)s::real[], %(coast_distance_m)s::real[],
                %(river_distance_m)s::real[], %(river_elevation_m)s::real[], %(forest_distance_m)s::real[],
                %(impervious_ratio)s::real[], %(crest_m)s::real[], %(basin_id)s::text[], %(admin_code)s::text[],
                %(name)s::text[], %(name_ko)s::text[]) AS given
    ON CONFLICT (grid_id) DO UPDATE SET
        elevation_m = coalesce(excluded.elevation_m, known.elevation_m),
        slope = coalesce(excluded.slope, known.slope),
        coast_distance_m = coalesce(excluded.coast_distance_m, known.coast_distance_m),
        river_distance_m = coalesce(excluded.river_distance_m, known.river_distance_m),
        river_elevation_m = coalesce(excluded.river_elevation_m, known.river_elevation_m),
        forest_distance_m = coalesce(excluded.forest_distance_m, known.forest_distance_m),
        impervious_ratio = coalesce(excluded.impervious_ratio, known.impervious_ratio),
        crest_m = coalesce(excluded.crest_m, known.crest_m),
        basin_id = coalesce(excluded.basin_id, known.basin_id),
        admin_code = coalesce(excluded.admin_code, known.admin_code),
        name = coalesce(excluded.name, known.name),
        name_ko = coalesce(excluded.name_ko, known.name_ko),
        attributes_dataset = excluded.attributes_dataset
        WHERE (known.elevation_m, known.slope, known.coast_distance_m, known.river_distance_m,
               known.river_elevation_m, known.forest_distance_m, known.impervious_ratio, known.crest_m,
               known.basin_id, known.admin_code, known.name, known.name_ko)
            IS DISTINCT FROM
              (coalesce(excluded.elevation_m, known.elevation_m), coalesce(excluded.slope, known.slope),
               coalesce(excluded.coast_distance_m, known.coast_distance_m),
               coalesce(excluded.river_distance_m, known.river_distance_m),
               coalesce(excluded.river_elevation_m, known.river_elevation_m),
               coalesce(excluded.forest_distance_m, known.forest_distance_m),
               coalesce(excluded.impervious_ratio, known.impervious_ratio),
               coalesce(excluded.crest_m, known.crest_m), coalesce(excluded.basin_id, known.basin_id),
               coalesce(excluded.admin_code, known.admin_code), coalesce(excluded.name, known.name),
               coalesce(excluded.name_ko, known.name_ko))
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
