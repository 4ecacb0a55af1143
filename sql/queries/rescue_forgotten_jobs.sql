SELECT * FROM rescue_forgotten_jobs(%(worker_id)s, %(job_ids)s, %(most_tries)s)
