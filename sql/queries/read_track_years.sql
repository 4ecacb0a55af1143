SELECT year, max(dataset_id)
FROM best_track_year
JOIN dataset USING (dataset_id)
WHERE NOT synthetic
GROUP BY year
ORDER BY year
