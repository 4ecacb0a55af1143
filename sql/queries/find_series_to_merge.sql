SELECT new.variable, new.grid_id, new.scenario, cadence, old.first_year, old.values, new.first_year, new.values
FROM incoming_series AS new
JOIN climate_data AS old USING (variable, grid_id, scenario)
JOIN climate_variable USING (variable)
WHERE (old.first_year, old.values) IS DISTINCT FROM (new.first_year, new.values)
