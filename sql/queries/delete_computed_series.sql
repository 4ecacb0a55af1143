-- Of these variables and cells whatever was computed, but for what is named; what was given stays.
DELETE FROM climate_data AS stored
USING dataset AS d
WHERE d.dataset_id = stored.dataset_id AND stored.variable = ANY (d.computed)
  AND stored.variable = ANY (%(variables)s) AND stored.grid_id = ANY (%(grid_ids)s)
  AND (stored.variable, stored.scenario, stored.grid_id) NOT IN (
      SELECT * FROM unnest(%(kept_variables)s::text[], %(kept_scenarios)s::text[], %(kept_cells)s::integer[]))
