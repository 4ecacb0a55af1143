SELECT fail_chunk(%(batch_id)s, %(chunk_no)s, %(attempt)s, %(error)s, %(trace)s, %(for_good)s)
