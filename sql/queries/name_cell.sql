INSERT INTO location_grid AS known (grid_id, name_ko)
VALUES (%(grid_id)s, %(name_ko)s)
ON CONFLICT (grid_id) DO UPDATE SET name_ko = excluded.name_ko WHERE known.name_ko IS NULL
