-- The cells of the places within a box that have an answer.
SELECT DISTINCT run.grid_id
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
WHERE run.latitude BETWEEN %(south)s AND %(north)s AND run.longitude BETWEEN %(west)s AND %(east)s
