SELECT grid_id, elevation_m, basin_id FROM location_grid WHERE grid_id = ANY (%(grid_ids)s)
