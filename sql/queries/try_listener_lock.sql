SELECT pg_try_advisory_lock(hashtext('aiops listener'), 0)
