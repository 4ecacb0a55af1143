-- Observed storms only: generated ones speak for the generated climate that they came with.
SELECT storm, best_track.name, time, grade, latitude, longitude, pressure_hpa, wind_kt, direction_50,
       longest_50_nm, shortest_50_nm, direction_30, longest_30_nm, shortest_30_nm
FROM best_track
JOIN dataset USING (dataset_id)
WHERE NOT synthetic
ORDER BY storm, time
