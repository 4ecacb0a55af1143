SELECT grid_id
FROM location_grid
WHERE has_climate AND (%(basins)s::text[] IS NULL OR basin_id = ANY (%(basins)s))
ORDER BY grid_id
