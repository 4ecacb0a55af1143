DELETE FROM hazard_packed
WHERE grid_id BETWEEN %(first)s AND %(last)s AND grid_id = ANY (%(grid_ids)s) AND risk_type = ANY (%(risk_types)s)
