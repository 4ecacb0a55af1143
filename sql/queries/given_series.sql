-- Series that no data set says were computed.
SELECT variable, scenario, grid_id
FROM climate_data AS c
LEFT JOIN dataset AS d ON d.dataset_id = c.dataset_id
WHERE c.variable = ANY (%(variables)s) AND c.grid_id = ANY (%(grid_ids)s)
  AND c.variable <> ALL (coalesce(d.computed, '{}'))
  AND (%(generated)s OR NOT coalesce(d.synthetic, false))
