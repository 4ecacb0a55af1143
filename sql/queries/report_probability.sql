-- Average annual losses of one risk, as the bytes that arrays are kept in, within a box of degrees.
SELECT grid_id, array_send(aal), array_send(status), batch_id = %(batch_id)s
FROM probability_packed
WHERE risk_type = %(risk_type)s
  AND grid_id BETWEEN %(first)s AND %(last)s
  AND grid_longitude(grid_id) BETWEEN %(west)s AND %(east)s
  AND (%(cells)s::integer[] IS NULL OR grid_id = ANY (%(cells)s))
ORDER BY grid_id
