SELECT cancel_batch(%(batch_id)s)
