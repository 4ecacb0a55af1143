SELECT * FROM hand_back_jobs(%(worker_id)s, %(job_ids)s, %(sessions)s)
