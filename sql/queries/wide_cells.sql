SELECT grid_id::bigint, longitude::float8, latitude::float8 FROM {table} WHERE grid_id IS NOT NULL ORDER BY 1
