SELECT resume_request(%(batch_id)s)
