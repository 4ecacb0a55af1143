SELECT * FROM claim_chunk(%(batch_id)s, %(chunk_no)s, %(worker)s, %(lease)s)
