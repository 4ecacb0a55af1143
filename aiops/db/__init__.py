"""The database: connections, schema, packed series, results, batch jobs. Nothing of the science."""
