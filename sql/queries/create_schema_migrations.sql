CREATE TABLE IF NOT EXISTS schema_migrations (
    source          text NOT NULL,
    name            text NOT NULL,
    sha256          text NOT NULL,
    program_version text NOT NULL,
    applied_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, name)
)
