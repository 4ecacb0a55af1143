INSERT INTO schema_migrations (source, name, sha256, program_version) VALUES (%s, %s, %s, %s)
