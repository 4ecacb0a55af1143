SELECT grid_id, method FROM evapotranspiration_method WHERE grid_id = ANY (%(grid_ids)s)
