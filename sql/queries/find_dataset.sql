SELECT dataset_id
FROM dataset
WHERE name = %(name)s AND file_sha256 IS NOT DISTINCT FROM %(file_sha256)s AND parameters = %(parameters)s
