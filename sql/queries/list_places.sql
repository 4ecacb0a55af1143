-- Cells that can be shown by name: those asked for, else named cells with climate data, the earliest named first.
SELECT grid_id, latitude, longitude, name, name_ko
FROM location_grid
WHERE CASE WHEN %(grid_ids)s::integer[] IS NULL THEN has_climate AND name IS NOT NULL
           ELSE grid_id = ANY (%(grid_ids)s) END
ORDER BY latitude DESC, longitude
LIMIT %(most)s
