INSERT INTO dataset AS known (name, source, file_sha256, parameters, first_year, last_year, synthetic)
VALUES (%(name)s, %(source)s, %(file_sha256)s, %(parameters)s, %(first_year)s, %(last_year)s, %(synthetic)s)
ON CONFLICT (name, file_sha256, parameters) DO UPDATE SET name = known.name
RETURNING dataset_id
