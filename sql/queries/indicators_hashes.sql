SELECT grid_id, cell_indicators_hash(cell, %(method_version)s)
FROM location_grid AS cell
WHERE grid_id = ANY (%(grid_ids)s)
