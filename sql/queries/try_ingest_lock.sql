SELECT pg_try_advisory_lock(hashtext('aiops ingest'), hashint8(%(dataset_id)s::bigint))
