SELECT finish_request(%(batch_id)s, %(attempt)s, %(run)s, %(answer_hash)s, %(rows)s, %(results)s, %(warnings)s, %(logs)s)
