SELECT plan_batch(%(batch_id)s, %(chunk_size)s)
