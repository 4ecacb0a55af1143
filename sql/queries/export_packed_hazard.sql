SELECT grid_id, risk_type, NULL::smallint AS n_bins, false AS is_default, NULL::float8 AS reach,
       array_send(score) AS score, array_send(coverage) AS coverage, array_send(status) AS status
FROM hazard_packed
WHERE grid_id = ANY (%(grid_ids)s) AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
ORDER BY grid_id
