SELECT pg_advisory_xact_lock(hashtext('aiops results'))
