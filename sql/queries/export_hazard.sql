SELECT v.*
FROM hazard_results AS v
JOIN risk_type AS r USING (risk_type)
JOIN projection AS p USING (scenario, horizon)
WHERE v.grid_id = ANY (%(grid_ids)s)
  AND (%(risk_types)s::text[] IS NULL OR v.risk_type = ANY (%(risk_types)s))
  AND (%(scenarios)s::text[] IS NULL OR v.scenario = ANY (%(scenarios)s))
  AND (%(horizons)s::text[] IS NULL OR v.horizon = ANY (%(horizons)s))
ORDER BY v.grid_id, r.position, p.projection_id
