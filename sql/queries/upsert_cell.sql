INSERT INTO location_grid AS known (
    grid_id, elevation_m, slope, coast_distance_m, river_distance_m, river_elevation_m, forest_distance_m,
    impervious_ratio, name, name_ko, attributes_dataset)
VALUES (
    %(grid_id)s, %(elevation_m)s, %(slope)s, %(coast_distance_m)s, %(river_distance_m)s, %(river_elevation_m)s,
    %(forest_distance_m)s, %(impervious_ratio)s, %(name)s, %(name_ko)s, %(attributes_dataset)s)
ON CONFLICT (grid_id) DO UPDATE SET
    elevation_m = coalesce(excluded.elevation_m, known.elevation_m),
    slope = coalesce(excluded.slope, known.slope),
    coast_distance_m = coalesce(excluded.coast_distance_m, known.coast_distance_m),
    river_distance_m = coalesce(excluded.river_distance_m, known.river_distance_m),
    river_elevation_m = coalesce(excluded.river_elevation_m, known.river_elevation_m),
    forest_distance_m = coalesce(excluded.forest_distance_m, known.forest_distance_m),
    impervious_ratio = coalesce(excluded.impervious_ratio, known.impervious_ratio),
    name = coalesce(excluded.name, known.name),
    name_ko = coalesce(excluded.name_ko, known.name_ko),
    attributes_dataset = excluded.attributes_dataset
