SELECT grid_id, score, coverage, status, input_hash
FROM hazard_packed
WHERE grid_id = ANY (%(grid_ids)s) AND risk_type = %(risk_type)s
