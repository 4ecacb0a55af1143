SELECT pg_advisory_unlock(hashtext('aiops schema'), 0)
