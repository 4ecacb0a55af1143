SELECT cell_input_hash(cell, (SELECT version FROM input_version), %(method_version)s, %(damage_set)s)
FROM location_grid AS cell
WHERE grid_id = ANY (%(grid_ids)s)
ORDER BY grid_id
