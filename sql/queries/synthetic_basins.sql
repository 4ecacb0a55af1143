-- Basins whose flow, or any use of whose water, a generator made.
SELECT basin_id FROM basin JOIN dataset USING (dataset_id) WHERE synthetic
UNION
SELECT basin_id FROM water_use JOIN dataset USING (dataset_id) WHERE synthetic
