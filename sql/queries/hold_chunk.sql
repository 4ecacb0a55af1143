SELECT hold_chunk(%(batch_id)s, %(chunk_no)s, %(attempt)s)
