SELECT *
FROM probability_results
WHERE grid_id = %(grid_id)s AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
ORDER BY risk_type, scenario, target_year NULLS FIRST
