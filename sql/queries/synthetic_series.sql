SELECT variable, scenario, grid_id
FROM climate_data
JOIN dataset USING (dataset_id)
WHERE synthetic AND variable = ANY (%(variables)s) AND grid_id = ANY (%(grid_ids)s)
