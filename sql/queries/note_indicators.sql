INSERT INTO cell_computed AS known (kind, grid_id, input_hash, risk_types)
SELECT 'indicators', grid_id, cell_indicators_hash(cell, %(method_version)s), '{}'
FROM location_grid AS cell
WHERE grid_id = ANY (%(grid_ids)s)
ON CONFLICT (kind, grid_id) DO UPDATE SET input_hash = excluded.input_hash
