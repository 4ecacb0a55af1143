-- The cells within a box that have a stored result of any of these risks.
SELECT grid_id FROM probability_packed
WHERE risk_type = ANY (%(risk_types)s) AND grid_id BETWEEN %(first)s AND %(last)s
  AND grid_longitude(grid_id) BETWEEN %(west)s AND %(east)s
  AND (%(cells)s::integer[] IS NULL OR grid_id = ANY (%(cells)s))
UNION
SELECT grid_id FROM hazard_packed
WHERE risk_type = ANY (%(risk_types)s) AND grid_id BETWEEN %(first)s AND %(last)s
  AND grid_longitude(grid_id) BETWEEN %(west)s AND %(east)s
  AND (%(cells)s::integer[] IS NULL OR grid_id = ANY (%(cells)s))
ORDER BY grid_id
