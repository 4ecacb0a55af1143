SELECT * FROM batch_status(%(batch_id)s)
