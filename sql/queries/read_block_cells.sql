SELECT grid_id, elevation_m, slope, coast_distance_m, river_distance_m, river_elevation_m, forest_distance_m,
       impervious_ratio, crest_m
FROM location_grid
WHERE has_climate
  AND grid_id BETWEEN %(first)s AND %(last)s
  AND (%(cells)s::integer[] IS NULL OR grid_id = ANY (%(cells)s))
ORDER BY grid_id
