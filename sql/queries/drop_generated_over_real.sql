-- Of what a generator made: what is stored from observations or climate models already.
DELETE FROM incoming_series AS new
USING climate_data AS old
LEFT JOIN dataset USING (dataset_id)
WHERE (old.variable, old.grid_id, old.scenario) = (new.variable, new.grid_id, new.scenario)
  AND dataset.synthetic IS NOT TRUE
