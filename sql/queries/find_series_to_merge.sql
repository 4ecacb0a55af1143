-- What a generator made and what it did not are never one series; without an origin the caller has seen to that.
SELECT new.variable, new.grid_id, new.scenario, cadence, old.first_year, old.values, new.first_year, new.values
FROM incoming_series AS new
JOIN climate_data AS old USING (variable, grid_id, scenario)
JOIN climate_variable USING (variable)
LEFT JOIN dataset USING (dataset_id)
WHERE (old.first_year, old.values) IS DISTINCT FROM (new.first_year, new.values)
  AND (%(synthetic)s::boolean IS NULL OR coalesce(dataset.synthetic, false) = %(synthetic)s)
