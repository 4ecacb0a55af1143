SELECT source, name, sha256 FROM schema_migrations
