SELECT release_request(%(batch_id)s, %(attempt)s, %(step)s)
