SELECT pg_advisory_lock(hashtext('aiops schema'), 0)
