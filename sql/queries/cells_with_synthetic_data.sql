SELECT DISTINCT grid_id
FROM climate_data
JOIN dataset USING (dataset_id)
WHERE synthetic AND grid_id = ANY (%(grid_ids)s)
