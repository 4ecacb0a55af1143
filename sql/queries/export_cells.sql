-- The cells within a box that have a stored result of any of some risks: %(hazard)s says which results.
SELECT grid_id FROM (
    SELECT grid_id, risk_type FROM hazard_packed WHERE %(hazard)s
    UNION ALL
    SELECT grid_id, risk_type FROM probability_packed WHERE NOT %(hazard)s
) AS stored
WHERE (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
  AND grid_id BETWEEN %(first)s AND %(last)s
  AND grid_longitude(grid_id) BETWEEN %(west)s AND %(east)s
GROUP BY grid_id
ORDER BY grid_id
