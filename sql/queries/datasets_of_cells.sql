-- The data sets that results of some cells rest on, and what for. Climate series: those of the first cell.
WITH used (dataset_id, used_for) AS (
    SELECT dataset_id, 'climate' FROM climate_data WHERE grid_id = %(grid_id)s
    UNION SELECT attributes_dataset, 'surroundings' FROM location_grid WHERE grid_id = %(grid_id)s
    UNION SELECT dataset_id, 'storms' FROM best_track_year
    UNION SELECT dataset_id, 'tides' FROM tide_gauge_maximum
    UNION SELECT dataset_id, 'sea level' FROM sea_level_rise
    UNION SELECT dataset_id, 'global warming' FROM warming_level
    UNION SELECT dataset_id, 'water use' FROM water_use
)
SELECT d.dataset_id, d.name, d.source, d.synthetic, d.first_year, d.last_year, d.loaded_at,
       array_agg(u.used_for ORDER BY u.used_for) AS used_for
FROM used AS u JOIN dataset AS d USING (dataset_id)
GROUP BY d.dataset_id
ORDER BY d.synthetic DESC, d.loaded_at, d.dataset_id
