INSERT INTO evapotranspiration_method AS known (grid_id, method, dataset_id)
SELECT grid_id, method, %(dataset_id)s
FROM unnest(%(grid_id)s::integer[], %(method)s::text[]) AS given (grid_id, method)
ON CONFLICT (grid_id) DO UPDATE SET method = excluded.method, dataset_id = excluded.dataset_id
    WHERE known.method IS DISTINCT FROM excluded.method
