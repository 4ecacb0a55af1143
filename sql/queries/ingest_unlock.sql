SELECT pg_advisory_unlock(hashtext('aiops ingest'), hashint8(%(dataset_id)s::bigint))
