SELECT retry_batch(%(batch_id)s)
