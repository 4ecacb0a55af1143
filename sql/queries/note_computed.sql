INSERT INTO cell_computed AS known (kind, grid_id, input_hash, risk_types)
SELECT %(kind)s, cell.grid_id, cell.input_hash, %(risk_types)s
FROM unnest(%(grid_ids)s::integer[], %(input_hashes)s::bytea[]) AS cell (grid_id, input_hash)
ON CONFLICT (kind, grid_id) DO UPDATE SET
    input_hash = excluded.input_hash,
    risk_types = CASE WHEN known.input_hash = excluded.input_hash
        THEN ARRAY(SELECT unnest(known.risk_types) UNION SELECT unnest(excluded.risk_types))
        ELSE excluded.risk_types END
