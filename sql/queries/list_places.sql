-- Places to show: those asked for, else cells with climate data, those that have a name first.
SELECT grid_id, latitude, longitude, name, name_ko
FROM location_grid
WHERE CASE WHEN %(grid_ids)s::integer[] IS NULL THEN has_climate ELSE grid_id = ANY (%(grid_ids)s) END
ORDER BY name IS NULL AND name_ko IS NULL, latitude DESC, longitude
LIMIT %(most)s
