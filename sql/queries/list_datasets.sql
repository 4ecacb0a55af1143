SELECT dataset_id, name, source, file_sha256, first_year, last_year, synthetic, loaded_at
FROM dataset
ORDER BY loaded_at DESC
LIMIT 10
