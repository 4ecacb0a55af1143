SELECT v.*
FROM risk_results AS v
JOIN risk_type AS r USING (risk_type)
JOIN projection AS p USING (scenario, horizon)
WHERE v.latitude BETWEEN %(south)s AND %(north)s AND v.longitude BETWEEN %(west)s AND %(east)s
  AND (%(risk_types)s::text[] IS NULL OR v.risk_type = ANY (%(risk_types)s))
  AND (%(scenarios)s::text[] IS NULL OR v.scenario = ANY (%(scenarios)s))
  AND (%(horizons)s::text[] IS NULL OR v.horizon = ANY (%(horizons)s))
ORDER BY v.latitude, v.longitude, p.projection_id, r.position
