SELECT variable, grid_id, scenario, first_year, values
FROM climate_data
WHERE variable = ANY (%(variables)s) AND grid_id = ANY (%(grid_ids)s) AND scenario = ANY (%(scenarios)s)
ORDER BY variable, grid_id, scenario
