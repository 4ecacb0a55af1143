CALL write_request_step(%(batch_id)s, %(attempt)s, %(step)s, %(first)s, %(span)s, %(rows)s)
