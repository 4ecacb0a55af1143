UPDATE incoming_series SET first_year = %s, values = %s
WHERE variable = %s AND grid_id = %s AND scenario = %s
