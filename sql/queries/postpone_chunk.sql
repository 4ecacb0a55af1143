SELECT postpone_chunk(%(batch_id)s, %(chunk_no)s, %(attempt)s, %(error)s, %(counts)s)
