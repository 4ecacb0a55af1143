SELECT finish_chunk(%(batch_id)s, %(chunk_no)s, %(rows_written)s, %(cells_without_result)s, %(seconds)s)
