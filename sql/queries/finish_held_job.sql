SELECT finish_held_job(%(job_id)s, %(worker_id)s, %(attempts)s, %(status)s, %(delete_job)s) AS was_ours
