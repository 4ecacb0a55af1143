SELECT grid_id, latitude, longitude, name, name_ko
FROM location_grid
WHERE name IS NOT NULL OR name_ko IS NOT NULL
ORDER BY latitude DESC, longitude
LIMIT %(most)s
