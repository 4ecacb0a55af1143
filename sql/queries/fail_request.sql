SELECT fail_request(%(batch_id)s, %(attempt)s, %(error)s, %(trace)s, %(logs)s)
